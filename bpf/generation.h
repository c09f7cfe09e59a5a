// What one generation is made of: its constants and its maps. The loader sets the constants and the sizes of the maps before it loads a
// program, so that every size below is the least that the verifier takes. `layout.py` writes what is read here.
#pragma once

#include "kernel.h"

enum { INGRESS, EGRESS };

// One direction and family: where its class pairs are counted. In `counters` a pair stands at base + source class * columns + destination
// class; a set that is hashed is counted in `hashed_pairs`.
struct pair_set {
	__u32 source_depth, destination_depth;
	__u32 base, columns;
	__u32 hashed;
	__u32 narrow_sources, narrow_destinations; // IPv6 tables of the high 64 bits only
	__u32 reserved;
};

struct generation {
	__u32 device; // its ifIndex
	__u32 merged; // 1: a super-packet is one packet
	struct pair_set ingress_ipv4, ingress_ipv6, egress_ipv4, egress_ipv6;
};

const volatile struct generation generation = {};

struct counts {
	__u64 packets, octets;
};

struct pair {
	__u32 set, source, destination;
};

#define TABLE(name)                                  \
	struct {                                     \
		__uint(type, BPF_MAP_TYPE_ARRAY);    \
		__uint(max_entries, 1);              \
		__uint(key_size, sizeof(__u32));     \
		__uint(value_size, 24);              \
	} name SEC(".maps")

TABLE(in_ipv4_from);
TABLE(in_ipv4_to);
TABLE(in_ipv6_from);
TABLE(in_ipv6_to);
TABLE(out_ipv4_from);
TABLE(out_ipv4_to);
TABLE(out_ipv6_from);
TABLE(out_ipv6_to);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counters SEC(".maps");

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

// The program of the current generation, and the only thing that a switch changes.
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} current SEC(".maps");
