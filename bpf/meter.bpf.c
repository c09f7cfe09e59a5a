// The programs: a root that stays attached at the hooks of one device, and the leaf of a generation that it calls. One leaf serves both families
// and both directions, so one update of `current` switches all of them.
#include "counting.h"
#include "segments.h"

char LICENSE[] SEC("license") = "GPL";

enum {
	NF_ACCEPT = 1,
	PF_INET = 2,
	TC_NEXT = -1, // TCX_NEXT, and TC_ACT_UNSPEC of clsact: what comes next decides
	PROTOCOL_IPV4 = 0x0800,
	PROTOCOL_IPV6 = 0x86DD,
	PROTOCOL_VLAN = 0x8100,
	PROTOCOL_PROVIDER_VLAN = 0x88A8,
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

// The header's own length, which leaves the padding of Ethernet out; none is given for super-packets beyond 64 KiB.
static __always_inline __u32 octets_of(struct sk_buff *skb, struct skb_shared_info *shared, __u32 offset, __u32 given)
{
	return shared->gso_size || !given ? skb->len - offset : given;
}

// Where the network header lies in the packet. The verifier takes differences of pointers in 64 bits only.
static __always_inline __u32 network_offset(struct sk_buff *skb)
{
	__u64 before = skb->data - skb->head;

	OPAQUE(before);
	return skb->network_header - before;
}

static __always_inline int is_ip(__be16 protocol)
{
	return protocol == bpf_htons(PROTOCOL_IPV4) || protocol == bpf_htons(PROTOCOL_IPV6) || protocol == bpf_htons(PROTOCOL_VLAN) ||
	       protocol == bpf_htons(PROTOCOL_PROVIDER_VLAN);
}

SEC("tc")
int tc_leaf(struct __sk_buff *packet)
{
	struct sk_buff *skb = bpf_cast_to_kern_ctx(packet);
	struct skb_shared_info *shared = shared_of(skb);
	__u32 offset = network_offset(skb), octets;
	int ingress = BPF_CORE_READ_BITFIELD(skb, tc_at_ingress), egress = !ingress;
	union ip_header buffer, *header;
	struct bpf_dynptr view;

	if (!is_ip(skb->protocol) || bpf_dynptr_from_skb(packet, 0, &view))
		return TC_NEXT;
	header = bpf_dynptr_slice(&view, offset, &buffer.ipv4, sizeof(buffer.ipv4));
	if (!header)
		return TC_NEXT;
	if (header->ipv4.version_and_length >> 4 == 4) {
		octets = octets_of(skb, shared, offset, bpf_ntohs(header->ipv4.total));
		count_ipv4(header->ipv4.source, header->ipv4.destination, ingress, egress, amount_of(packet, skb, offset, 4, octets));
		return TC_NEXT;
	}
	if (header->ipv4.version_and_length >> 4 != 6)
		return TC_NEXT;
	header = bpf_dynptr_slice(&view, offset, &buffer, sizeof(buffer));
	if (!header)
		return TC_NEXT;
	octets = octets_of(skb, shared, offset, header->ipv6.payload ? bpf_ntohs(header->ipv6.payload) + IPV6_HEADER : 0);
	count_ipv6(key_of(header->ipv6.source), key_of(header->ipv6.destination), ingress, egress, amount_of(packet, skb, offset, 6, octets));
	return TC_NEXT;
}
