# SPDX-License-Identifier: GPL-3.0-or-later
"""No kind of record is without a test."""

import re

from harness import Knotd
from kinds import covered


def test_every_kind_is_covered(store):
    """The kinds that knotd counts are those that test_kinds_*.py look at: a new one needs a test."""
    with Knotd(store) as knotd:
        kinds = set(re.findall(r"mod-mail\.query\[(.+)\]", knotd.knotc("-f", "stats", "mod-mail")))
    kinds.remove("none")
    assert len(kinds) > 30
    assert kinds == covered()
