// SPDX-License-Identifier: GPL-2.0-or-later
// The programs: a root that stays attached at the hooks of one device, and the leaf of a generation that it calls. One leaf serves both families
// and both directions, so one update of `current` switches all of them.
#include "counting.h"
#include "lengths.h"
#include "links.h"
#include "segments.h"

char LICENSE[] SEC("license") = "GPL";

enum {
	NF_ACCEPT = 1,
	PF_INET = 2,
};

static __always_inline struct counts amount_of(struct __sk_buff *packet, struct sk_buff *skb, __u32 offset, int family, __u32 octets)
{
	struct counts merged = { 1, octets };
	struct skb_shared_info *shared;

	if (generation.merged)
		return merged;
	shared = shared_of(skb);
	return shared->gso_size ? split(packet, skb, shared, offset, family, octets) : merged;
}

// --- netfilter: the network header is linear, and the packet begins with it -----------------------------------------------------------

static __always_inline __u32 index_of(const struct net_device *device)
{
	return device ? device->ifindex : 0;
}

SEC("netfilter")
int netfilter_root(struct bpf_nf_ctx *context)
{
	const struct nf_hook_state *state = context->state;

	if (index_of(state->in) == generation.device || index_of(state->out) == generation.device)
		bpf_tail_call(context, &current, 0);
	return NF_ACCEPT;
}

SEC("netfilter")
int netfilter_leaf(struct bpf_nf_ctx *context)
{
	const struct nf_hook_state *state = context->state;
	struct sk_buff *skb = context->skb;
	int ingress = index_of(state->in) == generation.device, egress = index_of(state->out) == generation.device;
	void *header = skb->head + skb->network_header;

	if (state->pf == PF_INET) {
		struct iphdr *ipv4 = bpf_rdonly_cast(header, bpf_core_type_id_kernel(struct iphdr));

		count_ipv4(ipv4->saddr, ipv4->daddr, ingress, egress, amount_of((struct __sk_buff *)skb, skb, 0, 4, skb->len));
	} else {
		struct ipv6hdr *ipv6 = bpf_rdonly_cast(header, bpf_core_type_id_kernel(struct ipv6hdr));

		count_ipv6(key_of(ipv6->saddr.in6_u.u6_addr32), key_of(ipv6->daddr.in6_u.u6_addr32), ingress, egress,
			   amount_of((struct __sk_buff *)skb, skb, 0, 6, skb->len));
	}
	return NF_ACCEPT;
}

// --- tc: at the device, whatever passes it --------------------------------------------------------------------------------------------

SEC("tc")
int tc_root(struct __sk_buff *packet)
{
	bpf_tail_call(packet, &current, 0);
	return TC_NEXT;
}

// Where the network header lies in the packet. The verifier takes differences of pointers in 64 bits only.
static __always_inline __u32 network_offset(struct sk_buff *skb)
{
	__u64 before = skb->data - skb->head;

	OPAQUE(before);
	return skb->network_header - before;
}

SEC("tc")
int tc_leaf(struct __sk_buff *packet)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(packet);
	struct skb_shared_info *shared = shared_of(skb);
	__u32 offset = network_offset(skb), held, octets;
	int ingress = BPF_CORE_READ_BITFIELD(skb, tc_at_ingress), egress = !ingress, family;
	union ip_header buffer, *header;
	struct bpf_dynptr view;

	if (!may_be_ip(skb->protocol) || bpf_dynptr_from_skb(packet, 0, &view))
		return TC_NEXT;
	family = family_of(skb->protocol, &view, &offset);
	if (!family)
		return TC_NEXT;
	held = skb->len - offset;
	if (family == 4) {
		header = bpf_dynptr_slice(&view, offset, &buffer.ipv4, sizeof(buffer.ipv4));
		octets = header ? ipv4_octets_of(&header->ipv4, held, shared->gso_size) : 0;
		if (!octets)
			return refuse(egress, held);
		count_ipv4(header->ipv4.source, header->ipv4.destination, ingress, egress, amount_of(packet, skb, offset, 4, octets));
		return TC_NEXT;
	}
	header = bpf_dynptr_slice(&view, offset, &buffer, sizeof(buffer));
	octets = header ? ipv6_octets_of(&view, offset, &header->ipv6, held, shared->gso_size) : 0;
	if (!octets)
		return refuse(egress, held);
	count_ipv6(key_of(header->ipv6.source), key_of(header->ipv6.destination), ingress, egress, amount_of(packet, skb, offset, 6, octets));
	return TC_NEXT;
}
