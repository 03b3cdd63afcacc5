"""Executors: what runs one function over many pieces of work. The only package that knows of threads."""

from viral.base.parallel.executor import Executor, SerialExecutor, ThreadExecutor

__all__ = ["Executor", "SerialExecutor", "ThreadExecutor"]
