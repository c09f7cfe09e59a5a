// SPDX-License-Identifier: GPL-2.0-or-later
// Which netfilter links are attached: the kernel describes one that somebody detached as if nothing had happened, and only its own memory
// tells (net/netfilter/nf_bpf_link.c). Owns the program that user space runs over all links.
#pragma once

#include "kernel.h"

enum {
	NETFILTER_LINK = 10, // BPF_LINK_TYPE_NETFILTER
};

SEC("iter/bpf_link")
int iter_links(struct bpf_iter__bpf_link *context)
{
	struct bpf_link *link = context->link;
	struct bpf_nf_link *netfilter;

	if (!link || (__u32)link->type != NETFILTER_LINK)
		return 0;
	netfilter = bpf_rdonly_cast(link, bpf_core_type_id_kernel(struct bpf_nf_link));
	if (!netfilter->dead) {
		__u32 number = link->id;

		bpf_seq_write(context->meta->seq, &number, sizeof(number));
	}
	return 0;
}
