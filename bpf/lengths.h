// SPDX-License-Identifier: GPL-2.0-or-later
// Packets at the device as they are, before the kernel's IP input has looked at them: of which family, and how many octets count of what
// their headers claim. Owns what that input would drop; at netfilter it has.
#pragma once

#include "generation.h"

enum {
	PROTOCOL_IPV4 = 0x0800,
	PROTOCOL_IPV6 = 0x86DD,
	PROTOCOL_VLAN = 0x8100,
	PROTOCOL_PROVIDER_VLAN = 0x88A8,
	TAG_OCTETS = 4,
	IPV4_SHORTEST = 20,
	IPV6_SHORTEST = 40,
	NO_NEXT_HEADER = 59,
	PAD_1 = 0,
	JUMBO_PAYLOAD = 0xC2, // RFC 2675
	LONGEST_PAYLOAD = 0xFFFF,
	MOST_OPTIONS = 8,
	MOST_UNSTATED = 512 << 10, // no super-packet is longer
};

// The headers as tc sees them, in a packet's own memory.
struct ipv4_header {
	__u8 version_and_length, service;
	__be16 total;
	__u8 middle[8];
	__be32 source, destination;
};

struct ipv6_header {
	__be32 version_class_flow;
	__be16 payload;
	__u8 next, hops;
	__be32 source[4], destination[4];
};

union ip_header {
	struct ipv4_header ipv4;
	struct ipv6_header ipv6;
};

static __always_inline int is_tag(__be16 protocol)
{
	return protocol == bpf_htons(PROTOCOL_VLAN) || protocol == bpf_htons(PROTOCOL_PROVIDER_VLAN);
}

static __always_inline int may_be_ip(__be16 protocol)
{
	return protocol == bpf_htons(PROTOCOL_IPV4) || protocol == bpf_htons(PROTOCOL_IPV6) || is_tag(protocol);
}

// Of a tagged packet, the network header is taken for what follows the tag, or for the tag itself where another was before it. What lies
// before it says which.
static __always_inline __be16 pass_tag(struct bpf_dynptr *view, __u32 *offset)
{
	__be16 buffer[3], *words = bpf_dynptr_slice(view, *offset - sizeof(__be16), buffer, sizeof(buffer));

	if (!words)
		return 0;
	if (!is_tag(words[0]))
		return words[0];
	*offset += TAG_OCTETS;
	return words[2];
}

static __always_inline int family_of(__be16 protocol, struct bpf_dynptr *view, __u32 *offset)
{
	if (is_tag(protocol))
		protocol = pass_tag(view, offset);
	return protocol == bpf_htons(PROTOCOL_IPV4) ? 4 : protocol == bpf_htons(PROTOCOL_IPV6) ? 6 : 0;
}

static __always_inline __u32 unstated(__u32 held)
{
	return held < MOST_UNSTATED ? held : MOST_UNSTATED;
}

// Both give 0 for a packet that does not count. The length in the header leaves the padding of Ethernet out; that of a super-packet means
// nothing, and beyond 64 KiB there is none.
static __always_inline __u32 ipv4_octets_of(struct ipv4_header *header, __u32 held, __u32 gso_size)
{
	__u32 claimed = bpf_ntohs(header->total), own = (header->version_and_length & 15) * 4;

	if (gso_size || !claimed)
		claimed = unstated(held);
	if (header->version_and_length >> 4 != 4 || own < IPV4_SHORTEST || own > claimed || claimed > held)
		return 0;
	return claimed;
}

// A Jumbo Payload option states the length of a packet that no header could; in any other it is a contradiction.
static __always_inline __u32 unstated_ipv6(struct bpf_dynptr *view, __u32 offset, __u8 next, __u32 held)
{
	__u8 buffer[6], *option = next ? 0 : bpf_dynptr_slice(view, offset + IPV6_SHORTEST, buffer, 2);
	__u32 place = 2, end, payload;

	if (next == NO_NEXT_HEADER)
		return IPV6_SHORTEST;
	if (!option)
		return unstated(held);
	end = (option[1] + 1) * 8;
	for (int number = 0; number < MOST_OPTIONS && place + sizeof(buffer) <= end; number++) {
		option = bpf_dynptr_slice(view, offset + IPV6_SHORTEST + place, buffer, sizeof(buffer));
		if (!option)
			break;
		if (option[0] == JUMBO_PAYLOAD) {
			payload = (__u32)option[2] << 24 | option[3] << 16 | option[4] << 8 | option[5];
			return payload > LONGEST_PAYLOAD && payload <= held - IPV6_SHORTEST ? IPV6_SHORTEST + payload : 0;
		}
		place += option[0] == PAD_1 ? 1 : 2 + option[1];
	}
	return unstated(held);
}

static __always_inline __u32 ipv6_octets_of(struct bpf_dynptr *view, __u32 offset, struct ipv6_header *header, __u32 held, __u32 gso_size)
{
	__u32 claimed = IPV6_SHORTEST + bpf_ntohs(header->payload);

	if (gso_size)
		claimed = unstated(held);
	else if (claimed == IPV6_SHORTEST)
		claimed = unstated_ipv6(view, offset, header->next, held);
	return *(__u8 *)header >> 4 == 6 && claimed <= held ? claimed : 0;
}
