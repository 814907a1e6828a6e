"""What a first pass made of a row is what the beats of its second ask for; errors are their own."""

import numpy as np
import pytest
from amaranth.lib import data

from softmaxfx.hdl.units.held import Held

from ..streams import trace


@pytest.mark.parametrize("exponent", [{}, {"exponent": 3}], ids=["", "exponent"])
def test_the_beats_of_a_second_pass_get_what_the_first_made(exponent):
    layout = data.StructLayout(
        {
            "stage": data.StructLayout({"r": 5}),
            "row": data.StructLayout({"error": 1, "id": 2, **exponent}),
        }
    )
    rng, kept, stimulus, gold = np.random.default_rng(4), None, [], []
    for _ in range(300):
        row = {"error": int(rng.integers(2)), "id": int(rng.integers(4))}
        if exponent:
            row["exponent"] = 0 if row["error"] else int(rng.integers(8))
        given = {"stage": {"r": int(rng.integers(32))}, "row": row}
        again = kept is not None and rng.random() < 0.5
        keep = not again and rng.random() < 0.4
        stimulus.append({"i": given, "keep": int(keep), "again": int(again)})
        told = kept if again else given
        told = {"stage": told["stage"], "row": {**told["row"], "error": row["error"]}}
        if exponent and row["error"]:
            told["row"]["exponent"] = 0
        gold.append([[told["stage"]["r"]], list(told["row"].values())])
        kept = given if keep else kept
    assert [o for (o,) in trace(Held(layout), stimulus, ["o"])] == gold
