"""`completion bash` and `completion zsh`: what a shell needs to complete this command."""

from __future__ import annotations

import argparse

import shtab


def add_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], parser: argparse.ArgumentParser
) -> None:
    completion = commands.add_parser("completion", help="print a completion script; needs no box")
    completion.add_argument("shell", choices=("bash", "zsh"))

    def script(options: argparse.Namespace) -> int:
        """The same for the same program: `eval "$(deedbox-server completion bash)"`."""
        print(shtab.complete(parser, shell=options.shell))
        return 0

    completion.set_defaults(without_box=script)
