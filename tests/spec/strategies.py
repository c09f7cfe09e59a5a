"""Any rules and any packets, near enough to each other to matter, for property tests."""

from hypothesis import strategies as st

from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import ADDRESS_BITS, Prefix

_CENTRES = {4: (0x0A000000, 0xC0A80100, 0, 0xFFFFFFFF), 6: (0x20010DB8 << 96, (0x20010DB8 << 96) | (1 << 64), 0, (1 << 128) - 1)}
_LENGTHS = {4: st.integers(0, 32), 6: st.one_of(st.integers(0, 128), st.sampled_from([0, 48, 63, 64, 65, 96, 128]))}


@st.composite
def addresses(draw: st.DrawFn, family: int) -> int:
    """Addresses near a few centres, so that prefixes nest, touch and repeat; sometimes any."""
    bits = ADDRESS_BITS[family]
    centre = draw(st.sampled_from(_CENTRES[family]))
    bit = draw(st.integers(0, bits - 1))
    return draw(
        st.one_of(
            st.just(centre),
            st.just(centre ^ (1 << bit)),
            st.just((centre + draw(st.integers(-2, 2))) % (1 << bits)),
            st.integers(0, (1 << bits) - 1),
        )
    )


@st.composite
def prefixes(draw: st.DrawFn, family: int) -> Prefix:
    """Prefixes of a family, host bits and all."""
    return Prefix(family, draw(addresses(family)), draw(_LENGTHS[family]))


@st.composite
def rules(draw: st.DrawFn, label_id: str) -> MeteringLabelRule:
    """Rules of a label with one prefix or two, including and excluding."""
    family = draw(st.sampled_from([4, 6]))
    sides = draw(st.sampled_from([(True, False), (False, True), (True, True)]))
    return MeteringLabelRule(
        id="rule",
        metering_label_id=label_id,
        direction=draw(st.sampled_from([Direction.INGRESS, Direction.EGRESS])),
        source_ip_prefix=draw(prefixes(family)) if sides[0] else None,
        destination_ip_prefix=draw(prefixes(family)) if sides[1] else None,
        excluded=draw(st.booleans()),
    )


@st.composite
def label_sets(draw: st.DrawFn) -> list[LabelWithRules]:
    """Up to six labels, shared and private, of up to eight rules."""
    labels = []
    for number in range(draw(st.integers(0, 6))):
        label_id = f"label-{number}"
        label = MeteringLabel(id=label_id, name=label_id, project_id=draw(st.sampled_from(["a", "b"])), shared=draw(st.booleans()))
        labels.append(LabelWithRules(label, tuple(draw(st.lists(rules(label_id), max_size=8)))))
    return labels


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    """Packets of any direction and family."""
    family = draw(st.sampled_from([4, 6]))
    return Passage(draw(st.sampled_from(list(Direction))), family, draw(addresses(family)), draw(addresses(family)))
