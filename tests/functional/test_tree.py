# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/check-tree finds what breaks the order of the layers, and says in which line."""
