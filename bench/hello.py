"""The least that Flask can do: what a page of the product is measured against."""

from flask import Flask

app = Flask(__name__, static_folder=None)


@app.get("/healthz")
def alive() -> str:
    return "ok\n"


@app.get("/")
def hello() -> str:
    return "Hello, world!\n"
