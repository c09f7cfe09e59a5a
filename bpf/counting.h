// SPDX-License-Identifier: GPL-2.0-or-later
// Counting: the class pair of a packet, and the addition to its counts.
#pragma once

#include "generation.h"
#include "search.h"

// At netfilter, packets from programs, and those that a queue of user space (NFQUEUE) gives back in FORWARD, may be counted while a softirq
// interrupts them on the same CPU: only an atomic addition loses nothing there. At tc, softirqs wait.
static __always_inline void add(struct counts *counts, struct counts amount)
{
	if (generation.interruptible) {
		__sync_fetch_and_add(&counts->packets, amount.packets);
		__sync_fetch_and_add(&counts->octets, amount.octets);
	} else {
		counts->packets += amount.packets;
		counts->octets += amount.octets;
	}
}

static __always_inline struct counts *find_hashed(struct pair *pair)
{
	struct counts none = {}, *counts = bpf_map_lookup_elem(&hashed_pairs, pair);

	if (counts)
		return counts;
	bpf_map_update_elem(&hashed_pairs, pair, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hashed_pairs, pair);
}

static __always_inline struct counts *find_placed(const volatile struct pair_set *set, __u32 source, __u32 destination)
{
	__u32 place = set->base + source * set->source_stride + destination * set->destination_stride;
	struct counts *first = counters;

	place += bpf_get_smp_processor_id() * generation.places;
	if (place >= generation.all_places)
		return 0;
	OPAQUE(first);
	return first + place;
}

static __always_inline void count(__u32 number, const volatile struct pair_set *set, __u32 source, __u32 destination, struct counts amount)
{
	__u32 direction = number >> 1;
	struct pair pair = { number, source, destination };
	struct counts *counts = set->hashed ? find_hashed(&pair) : find_placed(set, source, destination);

	if (!counts)
		counts = bpf_map_lookup_elem(&unattributed, &direction);
	if (counts)
		add(counts, amount);
}

static __always_inline int refuse(int egress, __u32 octets)
{
	__u32 direction = egress ? EGRESS : INGRESS;
	struct counts amount = { 1, octets }, *counts = bpf_map_lookup_elem(&bad_ip_headers, &direction);

	if (counts)
		add(counts, amount);
	return TC_NEXT;
}

static __always_inline struct ipv6_key key_of(const __be32 *address)
{
	struct ipv6_key key = { (__u64)bpf_ntohl(address[0]) << 32 | bpf_ntohl(address[1]),
				(__u64)bpf_ntohl(address[2]) << 32 | bpf_ntohl(address[3]) };
	return key;
}

#define COUNT_IPV4(number, set, from, to)                                                            \
	count(number, &generation.set, class_of_ipv4(from, &generation.set.sources, source),        \
	      class_of_ipv4(to, &generation.set.destinations, destination), amount)

static __always_inline void count_ipv4(__be32 source, __be32 destination, int ingress, int egress, struct counts amount)
{
	if (ingress)
		COUNT_IPV4(0, ingress_ipv4, in_ipv4_from, in_ipv4_to);
	if (egress)
		COUNT_IPV4(2, egress_ipv4, out_ipv4_from, out_ipv4_to);
}

#define COUNT_IPV6(number, set, from, to)                                                            \
	count(number, &generation.set, class_of_ipv6(from, &generation.set.sources, source),        \
	      class_of_ipv6(to, &generation.set.destinations, destination), amount)

static __always_inline void count_ipv6(struct ipv6_key source, struct ipv6_key destination, int ingress, int egress, struct counts amount)
{
	if (ingress)
		COUNT_IPV6(1, ingress_ipv6, in_ipv6_from, in_ipv6_to);
	if (egress)
		COUNT_IPV6(3, egress_ipv6, out_ipv6_from, out_ipv6_to);
}
