"""The first schema: people, sheets, rows, the change log with its triggers, and the application's role."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

CHANGE_LOG = Path(__file__).parents[1] / "sql" / "0001_change_log.sql"


def upgrade() -> None:
    create_application_role()
    op.create_table('audit_events',
    sa.Column('event_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('sheet_id', sa.BigInteger(), nullable=True),
    sa.Column('address', postgresql.INET(), nullable=True),
    sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_audit_events'))
    )
    op.create_index('ix_audit_events_recorded', 'audit_events', ['recorded_at'], unique=False)
    op.create_index('ix_audit_events_sheet', 'audit_events', ['sheet_id', 'recorded_at'], unique=False, postgresql_where=sa.text('sheet_id IS NOT NULL'))
    op.create_table('changes',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('row_id', sa.Integer(), nullable=False),
    sa.Column('column_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('old', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('new', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('actor_id', sa.BigInteger(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('batch', sa.UUID(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('effective_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('add', 'edit', 'remove', 'restore')", name=op.f('ck_changes_kind')),
    sa.PrimaryKeyConstraint('sheet_id', 'version', 'row_id', 'column_id', name=op.f('pk_changes'))
    )
    op.create_index('ix_changes_row', 'changes', ['sheet_id', 'row_id', 'version'], unique=False)
    op.create_table('sign_in_failures',
    sa.Column('failure_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account', sa.Text(), nullable=False),
    sa.Column('address', postgresql.INET(), nullable=False),
    sa.Column('failed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('failure_id', name=op.f('pk_sign_in_failures'))
    )
    op.create_index('ix_sign_in_failures_account', 'sign_in_failures', ['account', 'failed_at'], unique=False)
    op.create_index('ix_sign_in_failures_address', 'sign_in_failures', ['address', 'failed_at'], unique=False)
    op.create_table('users',
    sa.Column('user_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), server_default='member', nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('is_first_admin', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('preferences', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("email = lower(email) AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'", name=op.f('ck_users_email')),
    sa.CheckConstraint("role IN ('admin', 'manager', 'member', 'analyst')", name=op.f('ck_users_role')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_users')),
    sa.UniqueConstraint('email', name=op.f('uq_users_email'))
    )
    op.create_index('uq_users_first_admin', 'users', ['is_first_admin'], unique=True, postgresql_where=sa.text('is_first_admin'))
    op.create_table('invitations',
    sa.Column('invitation_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('kind', sa.Text(), server_default='member', nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('role', sa.Text(), server_default='member', nullable=False),
    sa.Column('invited_by', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['invited_by'], ['users.user_id'], name=op.f('fk_invitations_invited_by')),
    sa.PrimaryKeyConstraint('invitation_id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitations_token_hash'))
    )
    op.create_table('sessions',
    sa.Column('session_id', sa.UUID(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('address', postgresql.INET(), nullable=True),
    sa.Column('user_agent', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_sessions_user_id')),
    sa.PrimaryKeyConstraint('session_id', name=op.f('pk_sessions')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sessions_token_hash'))
    )
    op.create_index('ix_sessions_user', 'sessions', ['user_id'], unique=False)
    op.create_table('sheets',
    sa.Column('sheet_id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('owner_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('icon', sa.Text(), server_default='table', nullable=False),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('workspace_level', sa.Text(), nullable=True),
    sa.Column('version', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('columns_version', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('last_row_id', sa.Integer(), server_default='0', nullable=False),
    sa.Column('last_column_id', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['owner_id'], ['users.user_id'], name=op.f('fk_sheets_owner_id')),
    sa.CheckConstraint("workspace_level IN ('editor', 'viewer')", name=op.f('ck_sheets_workspace_level')),
    sa.PrimaryKeyConstraint('sheet_id', name=op.f('pk_sheets')),
    postgresql_with={'fillfactor': '50'}
    )
    op.create_table('sign_in_tickets',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('nonce_hash', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_sign_in_tickets_user_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_sign_in_tickets'))
    )
    op.create_table('collaborators',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('level', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("level IN ('editor', 'viewer')", name=op.f('ck_collaborators_level')),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.sheet_id'], name=op.f('fk_collaborators_sheet_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_collaborators_user_id')),
    sa.PrimaryKeyConstraint('sheet_id', 'user_id', name=op.f('pk_collaborators'))
    )
    op.create_index('ix_collaborators_user', 'collaborators', ['user_id'], unique=False)
    op.create_table('columns',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('column_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('rules', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.sheet_id'], name=op.f('fk_columns_sheet_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('sheet_id', 'column_id', name=op.f('pk_columns'))
    )
    op.create_index('uq_columns_name', 'columns', ['sheet_id', sa.literal_column('lower(name)')], unique=True, postgresql_where=sa.text('retired_at IS NULL'))
    op.create_table('operations',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('operation_id', sa.UUID(), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=False),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.sheet_id'], name=op.f('fk_operations_sheet_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('sheet_id', 'operation_id', name=op.f('pk_operations'))
    )
    op.create_index('ix_operations_created', 'operations', ['created_at'], unique=False)
    op.create_table('refresh_tokens',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('session_id', sa.UUID(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['session_id'], ['sessions.session_id'], name=op.f('fk_refresh_tokens_session_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_refresh_tokens'))
    )
    op.create_index('ix_refresh_tokens_session', 'refresh_tokens', ['session_id'], unique=False)
    op.create_table('rows',
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('row_id', sa.Integer(), nullable=False),
    sa.Column('values', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('versions', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('created_version', sa.BigInteger(), nullable=False),
    sa.Column('deleted_version', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.sheet_id'], name=op.f('fk_rows_sheet_id')),
    sa.PrimaryKeyConstraint('sheet_id', 'row_id', name=op.f('pk_rows')),
    postgresql_with={'fillfactor': '85'}
    )
    op.create_index('ix_rows_live', 'rows', ['sheet_id', 'row_id'], unique=False, postgresql_where=sa.text('deleted_version IS NULL'))
    op.create_table('sheet_layouts',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('sheet_id', sa.BigInteger(), nullable=False),
    sa.Column('layout', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheets.sheet_id'], name=op.f('fk_sheet_layouts_sheet_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_sheet_layouts_user_id')),
    sa.PrimaryKeyConstraint('user_id', 'sheet_id', name=op.f('pk_sheet_layouts'))
    )
    # Driven without parameters, so that a percent sign in the file is just a percent sign.
    op.get_bind().connection.cursor().execute(CHANGE_LOG.read_text())


def create_application_role() -> None:
    """The role that the application acts as: it owns nothing and cannot change the schema or the logs."""
    op.execute("""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'contrivance_app') THEN
                CREATE ROLE contrivance_app NOLOGIN;
            END IF;
            IF NOT pg_has_role(current_user, 'contrivance_app', 'USAGE') THEN
                EXECUTE format('GRANT contrivance_app TO %I', current_user);
            END IF;
        END $$
    """)


def downgrade() -> None:
    raise NotImplementedError("The first schema has nothing before it: restore a backup instead")
