# SPDX-License-Identifier: GPL-3.0-or-later
"""kmailctl doctor for somebody who may not read all of it: started by root, as test_tool_owner.py is."""

import os

from harness import Knotd
from test_tool_doctor import conf_of, doctor, filled  # noqa: F401  pylint: disable=unused-import


def test_where_knotd_listens_is_not_known(filled):
    """One who cannot read knot.conf does not hear that knotd does not listen: the port is a guess."""
    for path in (filled.path.parent, filled.directory):
        path.chmod(0o711)
    with Knotd(filled) as knotd:
        conf = conf_of(knotd)
        os.chmod(conf[1], 0o600)
        group = filled.path.stat().st_gid
        for path in [filled.path, *filled.path.iterdir()]:
            path.chmod(0o2770 if path.is_dir() else 0o660)
        said = doctor(filled, *conf, status=1,
                      command=["setpriv", "--reuid=12345", f"--regid={group}", "--clear-groups"])
    assert "error    configuration: it cannot be read" in said
    assert "warning  question: 127.0.0.1@53 over UDP: nobody listens there" in said
    assert "--server ADDRESS@PORT" in said
