-- Who may do how much in which sheet, and in which rows; level null: nothing. The one place that decides it.
-- The closest share counts: one made to the person, else the best of those made to their teams, else the workspace's.
-- Where a team is given its own rows, its managers are given the team's. `scope_team` is the team that 'team' means;
-- null: every team of the person. An analyst reads and comments, whatever a team or the workspace is given.
-- A person counts as in a team once they have accepted it, or an administrator has put them there.
CREATE OR REPLACE VIEW sheet_levels AS
SELECT s.sheet_id, u.user_id,
       CASE WHEN s.owner_id = u.user_id THEN 'owner'
            WHEN u.role = 'analyst' AND coalesce(c.level, t.level, s.workspace_level) = 'editor' THEN 'commenter'
            ELSE coalesce(c.level, t.level, s.workspace_level) END AS level,
       CASE WHEN s.owner_id = u.user_id THEN 'all' ELSE coalesce(c.row_scope, t.row_scope, 'all') END AS row_scope,
       CASE WHEN c.level IS NULL THEN t.team_id END AS scope_team
FROM users u
CROSS JOIN sheets s
LEFT JOIN collaborators c ON c.sheet_id = s.sheet_id AND c.user_id = u.user_id
LEFT JOIN LATERAL (
    SELECT team_id, given.level, scope.of_rows AS row_scope
    FROM team_members m
    JOIN team_collaborators given USING (team_id),
    LATERAL (SELECT CASE WHEN m.is_manager AND given.row_scope = 'own' THEN 'team' ELSE given.row_scope END) scope (of_rows)
    WHERE m.user_id = u.user_id AND m.accepted_at IS NOT NULL AND given.sheet_id = s.sheet_id
    ORDER BY array_position('{editor,commenter,viewer}', given.level), array_position('{all,team,own}', scope.of_rows), team_id
    LIMIT 1
) t ON true
WHERE u.is_active;
