"""Clouds that exist go on answering EC2 and S3, which new ones are told to"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    """Apply."""
    for name in ('enable.ec2.api', 'enable.s3.api'):
        op.execute(
            sa.text(
                'INSERT INTO configuration (name, value) SELECT :name, :value FROM zone LIMIT 1'
            ).bindparams(name=name, value='true')
        )


def downgrade() -> None:
    """Nothing to take back: an older edition does not look at these parameters."""
