# SPDX-License-Identifier: Apache-2.0
import pytest


@pytest.fixture(autouse=True)
def _record_rows(request, record_property):
    """Puts the ids of @pytest.mark.rows into the JUnit file, where `./dev requirements` reads them."""
    for marker in request.node.iter_markers("rows"):
        record_property("rows", " ".join(marker.args))
