"""A CUDA device that is not there: tensors that say they are on it, calculated on the CPU.

What torch refuses on a machine with such a device is refused here: an operation on tensors of both devices (numbers of
no dimension excepted, and indices on the CPU), and numpy for a tensor that was not brought to the CPU first. So it
shows whether each module, batch, target, mask, average and helper goes where `device` says. What torch does within an
operation, speed and memory it does not show, nor `torch.func`, which takes no such tensors.

Where there is a real one (`--device cuda`; without that option tests see none) `pretended` gives that one.

It is as late as a device: what is copied from it with `non_blocking` is NaN until an event after it was waited for, and
what is copied to it so must not be written before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from threading import Lock, Thread
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")
MEMORY = 256 << 20


class Elsewhere(Tensor):
    """Numbers on the CPU that say they are on the device."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> Elsewhere:
        wrapper = Tensor._make_wrapper_subclass(
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=CPU,  # torch's own code would look for a driver
            requires_grad=inner.requires_grad,
        )
        wrapper.inner = inner
        return wrapper

    @property
    def device(self) -> torch.device:
        return CUDA

    @property
    def is_cuda(self) -> bool:
        return True

    @property
    def is_cpu(self) -> bool:
        return False

    def __repr__(self, **options: Any) -> str:
        return f"Elsewhere({self.inner!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copy = Elsewhere(self.inner.detach().clone())
        if isinstance(self, torch.nn.Parameter):
            copy = torch.nn.Parameter(copy, self.requires_grad)
        else:
            copy.requires_grad_(self.requires_grad)
        memo[id(self)] = copy
        return copy

    def numpy(self, **options: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first")

    def tolist(self) -> Any:
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatched(func, args, kwargs or {})


def dispatched(func: Any, args: Any, kwargs: Any) -> Any:
    """The operation on what is inside; its outputs are where its inputs are, or where it is told to put them."""
    seen: set[bool] = set()

    def unwrapped(value: Any) -> Any:
        if isinstance(value, Elsewhere):
            seen.add(True)
            return value.inner
        if isinstance(value, Tensor) and (value.dim() or func in COPIES):
            seen.add(False)
        return value

    if func.overloadpacket is torch.ops.aten.index_fill:  # torch's own gradient of a diagonal makes its parts itself
        args = tree_map(lambda value: there(value) if isinstance(value, Tensor) else value, args)
    if func.overloadpacket in INDEXED and isinstance(args[0], Elsewhere):  # indices may be on the CPU
        args = (args[0], [index if index is None else there(index) for index in args[1]], *args[2:])
    inner_args, inner_kwargs = tree_map(unwrapped, args), tree_map(unwrapped, kwargs)
    inner_kwargs.pop("pin_memory", None)
    if len(seen) == 2 and func not in COPIES:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! ({func})"
        )
    away = isinstance(args[0], Elsewhere) if func in COPIES else True in seen
    if func in COPIES and isinstance(args[1], Elsewhere) and not away and (args[2:] or [kwargs.get("non_blocking")])[0]:
        QUEUE.fetch(args[0], args[1].inner)
        return args[0]
    out = func(*inner_args, **inner_kwargs)
    if func._schema.is_mutable and isinstance(args[0], Elsewhere) and out is args[0].inner:
        return args[0]
    if not away:
        return out
    return tree_map(lambda value: Elsewhere(value) if isinstance(value, Tensor) else value, out)


def there(tensor: Tensor) -> Elsewhere:
    return tensor if isinstance(tensor, Elsewhere) else Elsewhere(tensor)


class Queue:
    """What the device still has to do: copies from it, and the end of copies to it, in their order."""

    def __init__(self) -> None:
        self.left: list[Any] = []
        self.begun = self.ended = self.waits = 0
        self.lock = Lock()

    def add(self, work: Any) -> None:
        with self.lock:
            self.left.append(work)
            self.begun += 1

    def fetch(self, here: Tensor, inner: Tensor) -> None:
        """A copy from the device: the numbers come late."""
        value = inner.clone()
        here.fill_(float("nan"))
        self.add(lambda: here.copy_(value))

    def send(self, here: Tensor) -> None:
        """A copy to the device, which reads late."""
        value = here.clone()

        def check() -> None:
            if not torch.equal(here, value):
                raise AssertionError("page-locked memory was written before the device had read it")

        self.add(check)

    def until(self, number: int) -> None:
        """All that was begun before that number is done."""
        with self.lock:
            self.waits += 1
            while self.ended < number:
                self.ended += 1
                self.left.pop(0)()


QUEUE = Queue()


class Event:
    """Of the pretended device."""

    def __init__(self, blocking: bool = False) -> None:
        self.number = 0

    def record(self, stream: Any = None) -> None:
        self.number = QUEUE.begun

    def synchronize(self) -> None:
        QUEUE.until(self.number)


class Stream:
    """Of the pretended device, which does one thing after the other."""

    def __init__(self, device: Any = None) -> None:
        self.device = CUDA

    def wait_stream(self, other: Any) -> None:
        assert isinstance(other, Stream)

    def wait_event(self, event: Any) -> None:
        assert isinstance(event, Event)

    def record_event(self) -> Event:
        event = Event()
        event.record()
        return event

    def synchronize(self) -> None:
        QUEUE.until(QUEUE.begun)


class Generator:
    """Of the pretended device, which nothing draws from: its state is a number."""

    state = torch.zeros(1)

    @classmethod
    def seed(cls, seed: int) -> None:
        cls.state = torch.tensor([float(seed % 1000)])

    @classmethod
    def states(cls) -> list[Tensor]:
        return [cls.state.clone()]

    @classmethod
    def put_back(cls, states: list[Tensor]) -> None:
        (cls.state,) = states


COPIES = (torch.ops.aten.copy_.default,)
DATA = Tensor.data.__set__
INDEXED = (torch.ops.aten.index, torch.ops.aten.index_put_, torch.ops.aten.index_put)


def names_cuda(value: Any) -> bool:
    """Whether it names a CUDA device."""
    return (isinstance(value, torch.device) and value.type == "cuda") or (
        isinstance(value, str) and value.partition(":")[0] == "cuda"
    )


def names_cpu(value: Any) -> bool:
    """Whether it is or names the CPU, or a tensor there."""
    if isinstance(value, Tensor):
        return not isinstance(value, Elsewhere)
    return (isinstance(value, torch.device) and value.type == "cpu") or value == "cpu"


class Device(TorchFunctionMode):
    """What is asked for on the device is made on the CPU and put there, before torch looks for a driver."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.one_hot and isinstance(
            args[0], Elsewhere
        ):  # torch makes the classes where it thinks best
            return Elsewhere(func(args[0].inner, *args[1:], **kwargs))
        if func in (Tensor.to, Tensor.cuda, Tensor.cpu):
            return self.moved(func, args, kwargs)
        if func == DATA and isinstance(args[0], Elsewhere) and args[0].shape == args[1].shape:
            args[0].inner = args[1].inner
            return None
        if kwargs.get("pin_memory"):
            kwargs = {name: value for name, value in kwargs.items() if name != "pin_memory"}
        if not names_cuda(kwargs.get("device")):
            return func(*args, **kwargs)
        return Elsewhere(func(*args, **{name: value for name, value in kwargs.items() if name != "device"}))

    def moved(self, func: Any, args: Any, kwargs: Any) -> Any:
        tensor, *asked = *args, *(kwargs.get(name) for name in ("device", "other"))
        others = [value for value in asked if isinstance(value, Tensor)]
        if isinstance(tensor, Elsewhere) and (func is Tensor.cpu or any(names_cpu(value) for value in asked)):
            return func(Back.apply(tensor), *args[1:], **kwargs)
        there = func is Tensor.cuda or any(names_cuda(value) or isinstance(value, Elsewhere) for value in asked)
        if not there:
            return func(*args, **kwargs)
        if kwargs.get("non_blocking") and not isinstance(tensor, Elsewhere):
            QUEUE.send(tensor)
        types = [value for value in (*asked, kwargs.get("dtype")) if isinstance(value, torch.dtype)]
        types += [other.dtype for other in others]
        options = {"dtype": types[0]} if types else {}
        if kwargs.get("memory_format") is not None:
            options["memory_format"] = kwargs["memory_format"]
        if options:
            tensor = Tensor.to(tensor, **options)
        return tensor if isinstance(tensor, Elsewhere) else Moved.apply(tensor)


class Back(torch.autograd.Function):
    """From the device to the CPU."""

    @staticmethod
    def forward(ctx: Any, outer: Any) -> Any:
        return outer.inner.detach().clone()

    @staticmethod
    def backward(ctx: Any, slope: Any) -> Any:
        return Elsewhere(slope)


class Moved(torch.autograd.Function):
    """From the CPU to the device, and gradients back."""

    @staticmethod
    def forward(ctx: Any, inner: Tensor) -> Any:
        return Elsewhere(inner.detach().clone())

    @staticmethod
    def backward(ctx: Any, slope: Any) -> Any:
        return slope.inner


@contextmanager
def pretended() -> Iterator[None]:
    """Within it torch says that it has one CUDA device; nothing is changed where it has."""
    if torch.cuda.is_available():
        yield
        return
    with ExitStack() as stack:
        for name, value in {
            "is_available": lambda: True,
            "device_count": lambda: 1,
            "empty_cache": lambda: None,
            "is_initialized": lambda: True,
            "manual_seed_all": Generator.seed,
            "get_rng_state_all": Generator.states,
            "set_rng_state_all": Generator.put_back,
            "_lazy_init": lambda: None,
            "synchronize": lambda *args: QUEUE.until(QUEUE.begun),
            "Stream": Stream,
            "Event": Event,
            "stream": lambda stream: nullcontext(),
            "default_stream": Stream,
            "current_stream": Stream,
            "get_device_properties": lambda *args: SimpleNamespace(total_memory=MEMORY, name="pretended"),
            "mem_get_info": lambda *args: (MEMORY // 4, MEMORY),
        }.items():
            stack.enter_context(patch.object(torch.cuda, name, value))
        for name in ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"):
            if hasattr(torch.optim.Optimizer, name):
                stack.enter_context(patch.object(torch.optim.Optimizer, name, lambda self: None))
        stack.enter_context(patch.object(Tensor, "pin_memory", lambda self, *args: self.clone()))
        stack.enter_context(patch.object(Tensor, "record_stream", lambda self, stream: None))
        autocast = torch.autocast
        stack.enter_context(
            patch.object(torch, "autocast", lambda kind, *args, **options: autocast("cpu", *args, **options))
        )
        before = torch.__future__.get_overwrite_module_params_on_conversion()
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, before)
        run = Thread.run

        def running(thread: Thread) -> None:
            with Device():  # a mode is of one thread
                run(thread)

        stack.enter_context(patch.object(Thread, "run", running))
        stack.enter_context(
            patch.object(torch, "inference_mode", lambda mode=True: torch.no_grad() if mode else nullcontext())
        )
        stack.enter_context(Device())
        yield
