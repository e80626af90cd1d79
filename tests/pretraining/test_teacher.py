"""A teacher follows its student, and answers in its student's mode."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from headstart.pretraining.teacher import Latest, Teacher, rising


def test_the_weights_are_a_moving_average_and_no_gradient_reaches_them():
    student = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    teacher = Teacher(student)
    old = student[0].weight.detach().clone()
    with torch.no_grad():
        student[0].weight.add_(1)
    teacher.follow(student, 0.9)
    torch.testing.assert_close(teacher.module[0].weight, old + 0.1)
    assert not teacher.answer(student, torch.randn(5, 3)).requires_grad


def test_it_goes_by_the_batch_where_its_student_does():
    student = nn.BatchNorm1d(3)
    teacher, x = Teacher(student), 4 + torch.randn(9, 3)
    student.eval()
    torch.testing.assert_close(teacher.answer(student, x), x, atol=1e-4, rtol=1e-4)
    student.train()
    torch.testing.assert_close(teacher.answer(student, x).mean(0), torch.zeros(3), atol=1e-5, rtol=0)


def test_the_momentum_rises_to_one():
    assert rising(0.9, 0.0) == pytest.approx(0.9)
    assert rising(0.9, 0.5) == pytest.approx(0.95)
    assert rising(0.9, 1.0) == 1


def test_what_was_made_last_of_a_row_counts():
    latest = Latest()
    latest.put(torch.tensor([5, 2]), torch.tensor([[1.0], [2.0]]))
    latest.put(torch.tensor([2]), torch.tensor([[3.0]]))
    rows, values = latest.take()
    assert rows.tolist() == [2, 5]
    assert values.tolist() == [[3.0], [1.0]]
