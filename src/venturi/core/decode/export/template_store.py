"""The templates in force, by observation domain and number, with the arrays that the walks read.

Owns their bounds. Reading templates off the wire and compiling them happens elsewhere (``templates``, ``layout``).
"""

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.export.elements import Template
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.lookup import KeyIndex
from venturi.core.decode.export.kernels.state import Words
from venturi.core.decode.export.layout import V5_RECORDS, Layout, compile_template

_FIRST_ROWS = 64
_FIRST_OCTETS = 4096
_MAXIMUM_DEFINITION_OCTETS = 16 << 20


class TemplateStore:
    """Templates in rows; a redefinition takes the row of what it replaces, a withdrawal frees it."""

    def __init__(self, config: ExportConfig, numbers: KeyIndex) -> None:
        """Make a store that holds NetFlow v5 records only; ``numbers`` finds rows by domain and template number."""
        self._config = config
        self._numbers = numbers
        self._kept: dict[int, dict[int, int]] = {}
        self._templates: list[Template | None] = []
        self._layouts: list[Layout | None] = []
        self._free: list[int] = []
        self._octets_live = 0
        self._octets_used = 0
        self._fields_used = 0
        self.rows = np.zeros((_FIRST_ROWS, state.TEMPLATE_SLOTS), dtype=np.int64)
        self.layouts = np.zeros((_FIRST_ROWS, 2, state.ROLES, 2), dtype=np.int64)
        self.definitions: NDArray[np.uint8] = np.zeros(_FIRST_OCTETS, dtype=np.uint8)
        self.fields: Words = np.zeros((3, _FIRST_OCTETS), dtype=np.int64)
        for row in range(state.RESERVED_ROWS):
            self._new_row(row)
        self._put(state.V5_TEMPLATE, V5_RECORDS, compile_template(V5_RECORDS))

    def template(self, domain: int, number: int) -> Template | None:
        """Give the template in force for a number of a domain."""
        row = self._kept.get(domain, {}).get(number)
        return None if row is None else self._templates[row]

    def add(self, domain: int, template: Template) -> bool:
        """Put a template in force, in place of one of the same number; false if no more are kept."""
        numbers = self._kept.setdefault(domain, {})
        if self._octets_live + len(template.definition) > _MAXIMUM_DEFINITION_OCTETS:
            return False
        row = numbers.get(template.number)
        if row is None:
            row = self._new_row(len(numbers))
        if row is None:
            return False
        self._put(row, template, compile_template(template))
        numbers[template.number] = row
        self._numbers[state.TEMPLATE_KEY, domain, template.number] = row
        return True

    def withdraw(self, domain: int, number: int) -> None:
        """Forget a template (RFC 7011 §8.1)."""
        row = self._kept.get(domain, {}).pop(number, None)
        if row is not None:
            self._numbers.remove((state.TEMPLATE_KEY, domain, number))
            self._clear(row)
            self._free.append(row)

    def withdraw_all(self, domain: int, *, options: bool) -> None:
        """Forget all templates, or all options templates, of a domain (RFC 7011 §8.1)."""
        for number, row in list(self._kept.get(domain, {}).items()):
            template = self._templates[row]
            if template is not None and template.is_options == options:
                self.withdraw(domain, number)

    def _new_row(self, in_domain: int) -> int | None:
        live = len(self._templates) - len(self._free) - state.RESERVED_ROWS
        if in_domain >= self._config.maximum_templates_per_domain or live >= self._config.maximum_templates:
            return None
        if self._free:
            return self._free.pop()
        if len(self._templates) == len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
            self.layouts = np.concatenate([self.layouts, np.zeros_like(self.layouts)])
        self._templates.append(None)
        self._layouts.append(None)
        return len(self._templates) - 1

    def _clear(self, row: int) -> None:
        template = self._templates[row]
        if template is not None:
            self._octets_live -= len(template.definition)
        self._templates[row] = None
        self._layouts[row] = None

    def _put(self, row: int, template: Template, layout: Layout) -> None:
        self._clear(row)
        self._templates[row] = template
        self._layouts[row] = layout
        self._octets_live += len(template.definition)
        self.rows[row] = layout.template
        self.layouts[row] = layout.roles
        octets = self._octets_used + len(template.definition)
        fields = self._fields_used + len(layout.field_lengths)
        if octets > len(self.definitions) or fields > self.fields.shape[1]:
            self._repack()
        else:
            self._place(row)

    def _place(self, row: int) -> None:
        template, layout = self._templates[row], self._layouts[row]
        if template is None or layout is None:
            return
        end = self._octets_used + len(template.definition)
        self.definitions[self._octets_used : end] = np.frombuffer(template.definition, dtype=np.uint8)
        self.rows[row, state.DEFINITION_START] = self._octets_used
        self._octets_used = end
        end = self._fields_used + len(layout.field_lengths)
        self.fields[0, self._fields_used : end] = layout.field_lengths
        self.rows[row, state.FIRST_FIELD] = self._fields_used
        self._fields_used = end

    def _repack(self) -> None:
        """Lay all definitions out anew, in arrays of twice the size that they need now."""
        fields = sum(len(layout.field_lengths) for layout in self._layouts if layout is not None)
        self.definitions = np.zeros(max(_FIRST_OCTETS, 2 * self._octets_live), dtype=np.uint8)
        self.fields = np.zeros((3, max(_FIRST_OCTETS, 2 * fields)), dtype=np.int64)
        self._octets_used = self._fields_used = 0
        for row in range(len(self._templates)):
            self._place(row)
