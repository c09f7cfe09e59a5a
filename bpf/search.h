// Address to traffic class: a search without branches in the starts of intervals, laid out breadth first (Eytzinger). A table of depth d holds
// 2^d keys, of which key 0 is unused and those beyond the last interval are the highest number, and then 2^d classes in ascending order.
//
// Branches would cost mispredictions, and the verifier would walk 2^d paths: `OPAQUE` keeps clang from making any of a borrow.
#pragma once

#include "kernel.h"

#define OPAQUE(number) asm volatile("" : "+r"(number))

struct ipv6_key {
	__u64 high, low;
};

// 1 if left < right.
static __always_inline __u64 is_below(__u64 left, __u64 right)
{
	__u64 borrow = (~left & right) | (~(left ^ right) & (left - right));

	OPAQUE(borrow);
	return borrow >> 63;
}

static __always_inline __u64 is_equal(__u64 left, __u64 right)
{
	__u64 difference = left ^ right;

	difference |= -difference;
	OPAQUE(difference);
	return (difference >> 63) ^ 1;
}

static __always_inline __u32 find_ipv4(void *map, __u32 depth, __be32 address)
{
	__u32 only = 0, leaves = 1u << depth, place = 1;
	__u64 key = bpf_ntohl(address);
	__u32 *table = bpf_map_lookup_elem(map, &only);

	if (!table)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 step = 0; step < depth; step++) {
		__u64 borrow = key - table[place & (leaves - 1)];

		OPAQUE(borrow);
		place = 2 * place + 1 - (borrow >> 63);
	}
	return table[leaves + (place & (leaves - 1))];
}

static __always_inline __u32 find_ipv6_narrow(void *map, __u32 depth, struct ipv6_key key)
{
	__u32 only = 0, leaves = 1u << depth, place = 1;
	__u64 *table = bpf_map_lookup_elem(map, &only);

	if (!table)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 step = 0; step < depth; step++)
		place = 2 * place + 1 - is_below(key.high, table[place & (leaves - 1)]);
	return ((__u32 *)(table + leaves))[place & (leaves - 1)];
}

static __always_inline __u32 find_ipv6_wide(void *map, __u32 depth, struct ipv6_key key)
{
	__u32 only = 0, leaves = 1u << depth, place = 1;
	struct ipv6_key *table = bpf_map_lookup_elem(map, &only);

	if (!table)
		return 0;
#pragma clang loop unroll(disable)
	for (__u32 step = 0; step < depth; step++) {
		struct ipv6_key *start = &table[place & (leaves - 1)];
		__u64 high = start->high;

		place = 2 * place + 1 - (is_below(key.high, high) | (is_equal(key.high, high) & is_below(key.low, start->low)));
	}
	return ((__u32 *)(table + leaves))[place & (leaves - 1)];
}

static __always_inline __u32 find_ipv6(void *map, __u32 depth, __u32 narrow, struct ipv6_key key)
{
	return narrow ? find_ipv6_narrow(map, depth, key) : find_ipv6_wide(map, depth, key);
}
