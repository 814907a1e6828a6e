"""The datapaths by their names."""

from ...golden.config import SoftmaxConfig
from .datapath import DatapathPlan
from .exact_sum import ExactSumPlan
from .max_subtract import MaxSubtractPlan

PLANS: dict[str, type[DatapathPlan]] = {
    "max_subtract": MaxSubtractPlan,
    "exact_sum": ExactSumPlan,
}


def datapath_of(config: SoftmaxConfig, fields: tuple[str, ...]) -> DatapathPlan:
    """The datapath of a configuration, which gives some fields of every element."""
    return PLANS[config.datapath](config, fields)
