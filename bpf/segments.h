// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet amounts to: as the segments on the wire that a super-packet (GSO, GRO) stands for, headers included, or merged.
// Owns the walk over the headers of super-packets; ordinary packets never reach it.
#pragma once

#include "generation.h"

enum {
	GSO_BY_FRAGS = 0xFFFF, // include/linux/skbuff.h: every segment has a size of its own
	GSO_TCP = 1 << 0 | 1 << 4, // SKB_GSO_TCPV4, SKB_GSO_TCPV6
	GSO_SCTP = 1 << 14,
	UDP_HEADER = 8,
	SCTP_HEADER = 12,
	IPV4_SHORT = 5, // words of 4 octets
	IPV6_HEADER = 40,
	HOP_BY_HOP = 0,
	ROUTING = 43,
	DESTINATION_OPTIONS = 60,
	MOST_EXTENSIONS = 4,
	JUMBO_OPTION = 0xC2, // RFC 2675
	JUMBO_OCTETS = 8,
};

// Octets of what every segment repeats, and of what none carries.
struct headers {
	__u32 repeated, invented;
};

static __always_inline struct skb_shared_info *shared_of(struct sk_buff *skb)
{
	return bpf_rdonly_cast(skb->head + skb->end, bpf_core_type_id_kernel(struct skb_shared_info));
}

static __always_inline __u32 transport_octets(struct bpf_dynptr *view, __u32 offset, __u32 gso_type)
{
	__u8 buffer[1], *length;

	if (!(gso_type & GSO_TCP))
		return gso_type & GSO_SCTP ? SCTP_HEADER : UDP_HEADER;
	length = bpf_dynptr_slice(view, offset + 12, buffer, sizeof(buffer));
	return length ? (*length >> 4) * 4 : 0;
}

// Walk the extension headers that GRO passes over. The kernel puts a jumbo option of its own before the TCP of super-packets beyond 64 KiB
// (BIG TCP), which leaves again before the wire.
static __always_inline struct headers ipv6_octets(struct bpf_dynptr *view, __u32 offset)
{
	struct headers found = { IPV6_HEADER, 0 };
	__u8 buffer[8], *header = bpf_dynptr_slice(view, offset, buffer, sizeof(buffer));
	__u8 next;

	if (!header)
		return found;
	next = header[6];
	for (int number = 0; number < MOST_EXTENSIONS; number++) {
		if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION_OPTIONS)
			break;
		header = bpf_dynptr_slice(view, offset + found.repeated + found.invented, buffer, sizeof(buffer));
		if (!header)
			break;
		if (next == HOP_BY_HOP && header[2] == JUMBO_OPTION)
			found.invented += JUMBO_OCTETS;
		else
			found.repeated += (header[1] + 1) * 8;
		next = header[0];
	}
	return found;
}

static __always_inline struct headers ipv4_octets(struct bpf_dynptr *view, __u32 offset)
{
	struct headers found = { IPV4_SHORT * 4, 0 };
	__u8 buffer[1], *header = bpf_dynptr_slice(view, offset, buffer, sizeof(buffer));

	if (header)
		found.repeated = (*header & 15) * 4;
	return found;
}

// `offset` is where the network header lies in `packet`, `octets` what follows from there.
static __always_inline struct counts split(struct __sk_buff *packet, struct sk_buff *skb, struct skb_shared_info *shared, __u32 offset,
					   int family, __u32 octets)
{
	struct counts amount = { 1, octets };
	struct headers headers;
	struct bpf_dynptr view;
	__u32 size = shared->gso_size, gso_type = shared->gso_type, segments;

	if (bpf_dynptr_from_skb(packet, 0, &view))
		return amount;
	headers = family == 4 ? ipv4_octets(&view, offset) : ipv6_octets(&view, offset);
	octets -= headers.invented;
	amount.octets = octets;
	if (BPF_CORE_READ_BITFIELD(skb, encapsulation))
		headers.repeated = (__u16)(skb->inner_transport_header - skb->network_header) - headers.invented;
	headers.repeated += transport_octets(&view, offset + headers.repeated + headers.invented, gso_type);
	if (octets <= headers.repeated)
		return amount;
	segments = size == GSO_BY_FRAGS ? shared->gso_segs : (octets - headers.repeated + size - 1) / size;
	if (segments > 1) {
		amount.packets = segments;
		amount.octets += (__u64)(segments - 1) * headers.repeated;
	}
	return amount;
}
