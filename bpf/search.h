// Address to traffic class. A table holds, breadth first, the last addresses of all intervals but the highest ones, seven to a node; an address
// lies in as many intervals' beyond as there are ends below it. A node costs one cache line where a binary search would cost three, and its
// comparisons do not wait for each other. The highest number fills what is left of nodes: nothing is above it.
//
// Inner nodes are numbered as in a heap: the root is 1, the children of n are 8n to 8n + 7. The lowest level lies apart, its nodes with the
// classes of their eight intervals behind the ends.
//
// Branches would cost mispredictions, and the verifier would walk every path: `OPAQUE` keeps clang from making any of a borrow.
#pragma once

#include "generation.h"

#define OPAQUE(number) asm volatile("" : "+r"(number))
#define CHILDREN 8

struct ipv6_key {
	__u64 high, low;
};

// 1 if left < right, by the borrow of their difference.
static __always_inline __u64 is_below(__u64 left, __u64 right)
{
	__u64 borrow = (~left & right) | (~(left ^ right) & (left - right));

	OPAQUE(borrow);
	return borrow >> 63;
}

static __always_inline __u64 ends_below_ipv4(const __u32 *end, __u64 address)
{
	__u64 borrow = *end - address;

	OPAQUE(borrow);
	return borrow >> 63;
}

static __always_inline __u64 ends_below_narrow(const __u64 *end, __u64 address)
{
	return is_below(*end, address);
}

static __always_inline __u64 ends_below_wide(const struct ipv6_key *end, struct ipv6_key address)
{
	__u64 high = end->high, difference = high ^ address.high;
	__u64 borrow = (~high & address.high) | (~difference & (high - address.high - is_below(end->low, address.low)));

	OPAQUE(borrow);
	return borrow >> 63;
}

#define SEARCH(name, end, key, ends_below)                                                                   \
	struct name##_leaf {                                                                                 \
		end ends[CHILDREN];                                                                          \
		__u32 classes[CHILDREN];                                                                     \
	};                                                                                                   \
                                                                                                             \
	static __always_inline __u32 name##_rank(const end *ends, key address)                               \
	{                                                                                                    \
		__u32 rank = 0;                                                                              \
                                                                                                             \
		_Pragma("clang loop unroll(full)") for (int place = 0; place < CHILDREN - 1; place++)        \
			rank += ends_below(&ends[place], address);                                              \
		return rank;                                                                                 \
	}                                                                                                    \
                                                                                                             \
	static __always_inline __u32 name(void *map, const volatile struct side *side, key address)          \
	{                                                                                                    \
		__u32 only = 0, node = 1, levels = side->levels, inner_mask = side->inner_mask;              \
		struct name##_leaf *leaf;                                                                    \
		void *table = bpf_map_lookup_elem(map, &only);                                               \
                                                                                                             \
		if (!table)                                                                                  \
			return 0;                                                                            \
		_Pragma("clang loop unroll(disable)") for (__u32 level = 0; level < levels; level++)         \
			node = node * CHILDREN +                                                             \
			       name##_rank((end *)table + (node & inner_mask) * CHILDREN, address);          \
		leaf = (struct name##_leaf *)(table + side->leaf_start) + (node & side->leaf_mask);          \
		return leaf->classes[name##_rank(leaf->ends, address)];                                      \
	}

SEARCH(find_ipv4, __u32, __u64, ends_below_ipv4)
SEARCH(find_ipv6_narrow, __u64, __u64, ends_below_narrow)
SEARCH(find_ipv6_wide, struct ipv6_key, struct ipv6_key, ends_below_wide)

static __always_inline __u32 class_of_ipv4(void *map, const volatile struct side *side, __be32 address)
{
	return side->is_one ? side->only_class : find_ipv4(map, side, bpf_ntohl(address));
}

static __always_inline __u32 class_of_ipv6(void *map, const volatile struct side *side, struct ipv6_key address)
{
	if (side->is_one)
		return side->only_class;
	return side->is_narrow ? find_ipv6_narrow(map, side, address.high) : find_ipv6_wide(map, side, address);
}
