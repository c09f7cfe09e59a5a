// SPDX-License-Identifier: GPL-2.0-or-later
// What the programs read of the kernel's own structures: only the members that are read, found again at load time by their names (CO-RE).
// Owns no logic.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_device {
	int ifindex;
};

struct sk_buff {
	unsigned int len;
	unsigned char *head, *data;
	unsigned int end; // an offset from head on 64 bits
	__be16 protocol;
	__u16 inner_transport_header, network_header; // offsets from head
	__u8 encapsulation : 1, tc_at_ingress : 1;
};

struct skb_shared_info {
	unsigned short gso_size, gso_segs;
	unsigned int gso_type;
};

struct nf_hook_state {
	__u8 pf;
	struct net_device *in, *out;
};

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

struct iphdr {
	__be32 saddr, daddr;
};

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct ipv6hdr {
	struct in6_addr saddr, daddr;
};

struct bpf_link {
	__u32 id;
	enum bpf_link_type type;
};

struct bpf_nf_link {
	struct bpf_link link;
	__u32 dead;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_link {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct bpf_link *link;
	};
};

#pragma clang attribute pop

enum {
	TC_NEXT = -1, // TCX_NEXT, and TC_ACT_UNSPEC of clsact: what comes next decides
};

// Kernel functions: https://docs.kernel.org/bpf/kfuncs.html
extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym;
extern void *bpf_cast_to_kern_ctx(void *context) __ksym;
struct bpf_dynptr;
extern int bpf_dynptr_from_skb(struct __sk_buff *packet, __u64 flags, struct bpf_dynptr *view) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *view, __u32 offset, void *buffer, __u32 size) __ksym;
