"""``python -m tests.bench``: how fast each face is, next to what else is there in the same run."""

import click

from tests.bench.ec2 import ec2
from tests.bench.s3 import s3


@click.group()
def main() -> None:
    """Measure, and print ratios."""


main.add_command(ec2)
main.add_command(s3)

if __name__ == "__main__":
    main()
