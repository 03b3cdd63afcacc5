"""What the bench computes from its measurements."""

import json

import pytest
import torch
from bench.growth import exponents, slope
from bench.products import operations
from bench.report import compared, table
from bench.scale import growth


def test_an_exponent_is_the_slope_on_logarithms():
    rows = [{"interactions": n, "seconds": 3 * n**1.5, "bytes": 7.0 * n} for n in (10, 40, 160)]
    assert exponents(rows) == {"seconds": pytest.approx(1.5), "bytes": pytest.approx(1.0)}
    noisy = slope([1, 10, 100], [1, 20, 100])
    assert noisy == pytest.approx(1.0)
    assert slope([5, 5], [1, 2]) == 0


def result(commit: str, ours: float, limit: float, step: float, flops: float) -> dict:
    limits = {"bytes_per_second": 1e10, "flops": flops}
    kept = {"limits": limits, "peak_bytes": 1e9, "extra_bytes": 1e8, "load_before": 0.5}
    epoch = {"epoch": step, "loss": step / 2}
    sizes = {
        f"sizes:{n}": {"seconds": {f"size ×{n}": {"work": 0.1 * n**1.2}}, **kept, "extra_bytes": 1e6 * n}
        for n in (1, 4, 16)
    }
    return {
        "commit": commit, "data": "some", "torch": "2", "threads": 1, "machine": "m",
        "parts": {
            "sparse": {"seconds": {"product": {"ours": ours, "limit": limit, "other": 4 * ours}}, **kept},
            "epochs:bpr": {"seconds": {"epoch of bpr": epoch}, **kept},
            **sizes,
        },
    }  # fmt: skip


def test_the_table_has_ratios_parts_and_growth():
    page = table(result("abc", 0.002, 0.001, 3.0, 1e11))
    assert "| product | 2 | 2.00 | other 4.00 |" in page
    assert "| bpr | 3 |  |  |  | 1.5 |  |  |  | 1.00 |" in page
    assert "| work | 0.1 | 0.528 | 2.79 | 1.20 |" in page
    assert "| memory beyond the start | 0.00 GB | 0.00 GB | 0.02 GB | 1.00 |" in page


def test_two_commits_are_compared_over_the_limits_of_their_own_runs():
    """The second machine is twice as slow in everything: nothing has changed. Then ours alone gets slower."""
    first, second = result("a", 0.002, 0.001, 1.0, 4e11), result("b", 0.004, 0.002, 2.0, 1e11)
    page = compared(first, json.loads(json.dumps(second)))
    assert "| product, ours | 2 | 2 | 1.00 |" in page
    assert "| epoch of bpr, epoch | 2 | 2 | 1.00 |" in page
    second["parts"]["sparse"]["seconds"]["product"]["ours"] = 0.006
    assert "| product, ours | 2 | 3 | 1.50 |" in compared(first, second)


def test_the_growth_of_the_whole_is_that_from_import_to_evaluation():
    """Stages that make what others bring along grow here with the square, and are in no sum; memory is the highest."""

    def row(n: int, seconds: float, extra: float) -> dict:
        return {"interactions": n, "processor_seconds": seconds, "extra_bytes": extra}

    found = {
        "shop": {str(n): row(n, n**2, n**2) for n in (1, 4, 16)},
        "import": {str(n): row(n, 2 * n, 3 * n) for n in (1, 4, 16)},
        "evaluate": {str(n): row(n, 5 * n, n) for n in (1, 4, 16)},
    }
    exponents_found = growth(found)
    assert exponents_found["all"] == {"processor_seconds": pytest.approx(1), "extra_bytes": pytest.approx(1)}
    assert exponents_found["shop"] == {"processor_seconds": pytest.approx(2), "extra_bytes": pytest.approx(2)}
    found["evaluate"]["16"] = row(16, 500, 1)
    assert growth(found)["all"]["processor_seconds"] > 1.3
    del found["evaluate"]["4"]
    assert "all" not in growth(found)  # the sums would be of other stages at each size
    assert "all" not in growth({"shop": found["shop"]})


def test_every_dense_product_of_a_step_is_counted():
    """Plain, into a table and added to one, (11, 5) by (5, 7) each; the gradient of the weights is the fourth."""

    class Model:
        x, weight = torch.ones(11, 5), torch.ones(5, 7, requires_grad=True)

        def loss(self, batch: None) -> dict[str, torch.Tensor]:
            fixed = self.weight.detach()
            torch.mm(self.x, fixed, out=torch.empty(11, 7))
            return {"loss": (self.x @ self.weight).sum() + torch.zeros(11, 7).addmm_(self.x, fixed).sum()}

    assert operations(Model(), None) == 4 * 2 * 11 * 5 * 7
