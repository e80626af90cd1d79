"""How to fit: a method by its name, and the options that every method has."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from headstart.heads.head import ClassWeight
from headstart.tasks.goal import Aim, Goal
from headstart.tasks.kind import Kind
from headstart.training.options import Training

__all__ = ["Plan"]


class Plan(NamedTuple):
    """A row of the table of methods by name, and the options that every row has.

    class_weight   None, "balanced", or a weight for some labels; the others weigh 1
    options        of the method, by name, see `methods.method.Method.options`
    keep_tuned     keep moved weights even where held-out rows do not show them to be better than what moves none
    control        whether the network from random weights is tested beside the pretrained one
    keep_transfer  keep what was asked for even where the model without transfer is shown to be better
    goal           what the model is to be good at; None: the headline of the kind
    """

    method: str = "probe"
    class_weight: str | dict[Hashable, float] | None = None
    seed: int = 0
    options: Mapping[str, Any] = MappingProxyType({})
    keep_tuned: bool = False
    control: bool = True
    goal: Goal | None = None
    keep_transfer: bool = False

    @property
    def probe(self) -> Plan:
        """The probe with everything else alike: what a tuned model must beat."""
        return self._replace(method="probe", options={})

    @property
    def plain(self) -> Plan:
        """The model that reuses nothing with everything else alike."""
        return self._replace(method="no-transfer", options={})

    @property
    def scratch(self) -> Plan:
        """The same options of the training from random weights: the control of a tuned model, which takes as many steps
        as that took."""
        budget = {field.name for field in fields(Training)} & self.options.keys()
        return self._replace(method="scratch", options={name: self.options[name] for name in budget})

    def without_teacher(self, method: str, options: Collection[str]) -> Plan:
        """The same fit by a method that has none, with those of the options that it has too."""
        return self._replace(
            method=method, options={name: self.options[name] for name in self.options if name in options}
        )

    def aim(self, kind: Kind, classes: tuple[Hashable, ...]) -> Aim:
        """The goal in codes of these classes. Raises ValueError where it is for other classes."""
        return (self.goal or Goal(kind.headline)).aim(classes)

    def weights(self, classes: tuple[Hashable, ...]) -> ClassWeight:
        """The class weight in terms of codes. Raises ValueError for a label that is no class."""
        if not isinstance(self.class_weight, dict):
            return cast(ClassWeight, self.class_weight)
        unknown = [label for label in self.class_weight if label not in classes]
        if unknown:
            raise ValueError(f"class_weight names {unknown[:3]}, which are no classes of the data: {list(classes)[:5]}")
        return {classes.index(label): weight for label, weight in self.class_weight.items()}
