"""A little arithmetic."""

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

from embedded.demo_model.prompt import Moment
from embedded.demo_model.reply import Reply

SPOKEN = (
    (r"\bplus\b", "+"),
    (r"\bminus\b", "-"),
    (r"\b(?:times|multiplied by)\b|×|(?<=\d)\s*x\s*(?=\d)", "*"),
    (r"\b(?:divided by|over)\b|÷", "/"),
    (r"\bpercent of\b|% of\b", "/100*"),
    (r"\bto the power of\b|\^", "**"),
)
EXPRESSION = re.compile(r"[(\d.][\d\s.+\-*/()]*[\d)]")
OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
}
LARGEST_POWER = 64
LONGEST = 120
DIGITS = 6


def arithmetic(at: Moment) -> Reply | None:
    """Work out the first sum in the message."""
    text = at.asking.words.replace(",", "")
    for spoken, sign in SPOKEN:
        text = re.sub(spoken, sign, text, flags=re.I)
    for found in EXPRESSION.findall(text):
        expression = found.strip()
        if re.search(r"[\d)]\s*[+\-*/]", expression) and len(expression) <= LONGEST:
            return _worked_out(expression)
    return None


def _worked_out(expression: str) -> Reply | None:
    try:
        sum_asked = ast.parse(expression, mode="eval")
        result = _value(sum_asked.body)
    except ZeroDivisionError:
        return Reply("Nothing can be divided by zero.")
    except (ValueError, SyntaxError):
        return None
    return Reply(f"`{ast.unparse(sum_asked)}` = **{_shown(result)}**")


def _value(node: ast.expr) -> Fraction:
    """Compute plain sums only: no names, no calls, no powers that take long."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if type(node.op) in OPERATIONS:
            return OPERATIONS[type(node.op)](left, right)
        if isinstance(node.op, ast.Pow) and right.denominator == 1 and 0 <= right <= LARGEST_POWER:
            return left ** int(right)
    raise ValueError(ast.dump(node))


def _shown(result: Fraction) -> str:
    if result.denominator == 1:
        return f"{result.numerator:,}"
    return f"{round(float(result), DIGITS):,}"
