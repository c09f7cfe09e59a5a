// SPDX-License-Identifier: GPL-2.0-or-later
// What one generation is made of: its constants and its maps. The loader sets the constants and the sizes of the maps before it loads a
// program. `layout.py` writes what is read here.
#pragma once

#include "kernel.h"

enum { INGRESS, EGRESS };

// What of an address of IPv6 tells its class: all of it, its high 64 bits, or 32 of those, in a window where all ends of intervals lie.
enum { WHOLE, HIGH_WORD, WINDOW };

// The search table of the sources or destinations of one direction and family (`search.h`).
struct side {
	__u32 levels; // above the lowest
	__u32 inner_mask, leaf_mask; // which numbers of nodes there can be
	__u32 leaf_start; // octets before the lowest level
	__u32 form; // of IPv6
	__u32 is_one, only_class; // all addresses are of one class, and there is nothing to search
	__u32 shift; // of the window, and where it begins
	__u64 base;
};

// One direction and family: how its class pairs are found, and where they are counted. Each class of a side is one stride after the one before,
// from the base on; a set that is hashed is counted in `hashed_pairs`.
struct pair_set {
	struct side sources, destinations;
	__u32 base, source_stride, destination_stride, hashed;
};

struct generation {
	__u32 device; // its ifIndex
	__u32 merged; // 1: a super-packet is one packet
	__u32 places; // of class pairs, for each CPU
	__u32 all_places; // of all CPUs
	__u32 interruptible; // 1: another packet may be counted on the same CPU while one is
	__u32 reserved;
	struct pair_set ingress_ipv4, ingress_ipv6, egress_ipv4, egress_ipv6;
};

const volatile struct generation generation = {};

struct counts {
	__u64 packets, octets;
};

struct pair {
	__u32 set, source, destination;
};

// Tables and counters are maps of one element, whose address is in the instructions, so that nothing is looked up. They can be mapped, and so
// begin at a page: nodes keep to cache lines. As they are here, sizes are those by which libbpf loads a program for the first time; the
// largest node fits in.
#define MAPPED(type, name, number) type name[number] SEC(".data." #name)

MAPPED(__u8, in_ipv4_from, 256);
MAPPED(__u8, in_ipv4_to, 256);
MAPPED(__u8, in_ipv6_from, 256);
MAPPED(__u8, in_ipv6_to, 256);
MAPPED(__u8, out_ipv4_from, 256);
MAPPED(__u8, out_ipv4_to, 256);
MAPPED(__u8, out_ipv6_from, 256);
MAPPED(__u8, out_ipv6_to, 256);

// `places` for each CPU, one after the other. A per-CPU array would look each place up in a table of pointers first, one cache line more, takes
// long to make, and cannot be mapped.
MAPPED(struct counts, counters, 1);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct pair);
	__type(value, struct counts);
} hashed_pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2); // by direction
	__type(key, __u32);
	__type(value, struct counts);
} unattributed SEC(".maps");

// Packets that count for nobody, by the octets of their frames: their IP header contradicts itself or claims more than the frame holds.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2); // by direction
	__type(key, __u32);
	__type(value, struct counts);
} bad_ip_headers SEC(".maps");

// The program of the current generation, and the only thing that a switch changes.
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} current SEC(".maps");
