// SPDX-License-Identifier: GPL-2.0-or-later
// Address to traffic class. A table holds, breadth first, the last addresses of all intervals but the highest ones, seven to a node; an address
// lies in as many intervals' beyond as there are ends below it. A node costs one cache line where a binary search would cost three, and its
// comparisons do not wait for each other.
//
// Inner nodes are numbered as in a heap: the root is 1, the children of n are 8n to 8n + 7. The lowest level lies apart, its nodes with the
// classes of their eight intervals behind the ends.
//
// Ends are held as their complements: one lies below an address where complement and address add up to more than a word, and the carry is the
// number to count. A complement of 0 fills what is left of nodes: its end is above everything. Branches would cost mispredictions, and the
// verifier would walk every path: `OPAQUE` keeps clang from making any of a carry. It also keeps clang from knowing how large a table is
// written here, as the loader makes it larger, and from leaving out a class that is read `early` only so that its cache line comes along with
// that of the ends.
#pragma once

#include "generation.h"

#define OPAQUE(number) asm volatile("" : "+r"(number))
#define CHILDREN 8
#define WINDOW_END 0xFFFFFFFFULL

struct ipv6_key {
	__u64 high, low;
};

static __always_inline __u64 carry_of_short(const __u32 *complement, __u64 address)
{
	return (*complement + address) >> 32;
}

// Of left + right + carry = 2 (left & right) + (left ^ right) + carry, half is less than 2^64, and its highest bit is the carry.
static __always_inline __u64 carry_of_words(__u64 left, __u64 right, __u64 carry)
{
	__u64 differing = left ^ right, half = (left & right) + (differing >> 1) + (differing & carry);

	OPAQUE(half);
	return half >> 63;
}

static __always_inline __u64 carry_of_word(const __u64 *complement, __u64 address)
{
	return carry_of_words(*complement, address, 0);
}

static __always_inline __u64 carry_of_whole(const struct ipv6_key *complement, struct ipv6_key address)
{
	return carry_of_words(complement->high, address.high, carry_of_words(complement->low, address.low, 0));
}

#define SEARCH(name, complement, key, carry_of)                                                              \
	struct name##_leaf {                                                                                 \
		complement ends[CHILDREN];                                                                   \
		__u32 classes[CHILDREN];                                                                     \
	};                                                                                                   \
                                                                                                             \
	static __always_inline __u32 name##_rank(const complement *ends, key address)                        \
	{                                                                                                    \
		__u32 rank = 0;                                                                              \
                                                                                                             \
		_Pragma("clang loop unroll(full)") for (int place = 0; place < CHILDREN - 1; place++)        \
			rank += carry_of(&ends[place], address);                                                \
		return rank;                                                                                 \
	}                                                                                                    \
                                                                                                             \
	static __always_inline __u32 name(void *table, const volatile struct side *side, key address)        \
	{                                                                                                    \
		__u32 node = 1, levels = side->levels, inner_mask = side->inner_mask;                        \
		struct name##_leaf *leaf;                                                                    \
		__u32 early;                                                                                 \
                                                                                                             \
		OPAQUE(table);                                                                               \
		_Pragma("clang loop unroll(disable)") for (__u32 level = 0; level < levels; level++)         \
			node = node * CHILDREN +                                                             \
			       name##_rank((complement *)table + (node & inner_mask) * CHILDREN, address);       \
		leaf = (struct name##_leaf *)(table + side->leaf_start) + (node & side->leaf_mask);          \
		early = leaf->classes[0];                                                                    \
		OPAQUE(early);                                                                               \
		return leaf->classes[name##_rank(leaf->ends, address)];                                      \
	}

SEARCH(find_short, __u32, __u64, carry_of_short)
SEARCH(find_word, __u64, __u64, carry_of_word)
SEARCH(find_whole, struct ipv6_key, struct ipv6_key, carry_of_whole)

static __always_inline __u32 class_of_ipv4(void *table, const volatile struct side *side, __be32 address)
{
	return side->is_one ? side->only_class : find_short(table, side, bpf_ntohl(address));
}

// What lies below the window is as its beginning, and what lies above it as its end.
static __always_inline __u64 within_window(const volatile struct side *side, __u64 word)
{
	__u64 base = side->base, place = word >> side->shift;

	if (place < base)
		return 0;
	place -= base;
	return place > WINDOW_END ? WINDOW_END : place;
}

static __always_inline __u32 class_of_ipv6(void *table, const volatile struct side *side, struct ipv6_key address)
{
	if (side->is_one)
		return side->only_class;
	if (side->form == WINDOW)
		return find_short(table, side, within_window(side, address.high));
	return side->form == HIGH_WORD ? find_word(table, side, address.high) : find_whole(table, side, address);
}
