"""The catalogue of abuse: every case, and the tests that show what becomes of it. docs/security.md tells of it.

A case without tests says what is to come; tests/test_catalogue.py holds that every test which is named exists.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One way to abuse the product: what is tried, its tests as "file::test" below tests/, what is still to come."""

    tried: str
    tests: tuple[str, ...] = ()
    to_come: str = ""


def shown(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{file}.py::test_{name}" for name in names)


SIGN_IN, DEVICES = "core/sign_in/test_password", "core/limits/test_known_devices"
CATALOGUE: dict[int, Case] = {
    # A. Sign-in
    1: Case(
        "Telling an unknown account from a wrong password",
        shown(SIGN_IN, "unknown_and_known_cost_the_same_number_of_hashes")
        + shown("api/test_auth", "whatever_is_wrong_the_answer_is_the_same"),
    ),
    2: Case(
        "Guessing on, after five failures",
        shown(SIGN_IN, "the_sixth_try_is_refused_even_with_the_right_password_and_others_are_not")
        + shown(SIGN_IN, "the_window_slides_and_nobody_stays_locked_out")
        + shown(DEVICES, "where_somebody_signed_in_before_guessing_ends_after_five_failures_too")
        + shown(
            "core/sharing/test_public_links",
            "five_wrong_passwords_of_a_link_end_the_guessing_of_that_address_and_of_no_other",
        ),
    ),
    3: Case(
        "One guess at each of many accounts, from one address or a claimed one; shutting others out by guessing",
        shown(SIGN_IN, "an_address_that_tries_many_accounts_is_throttled")
        + shown("api/test_auth", "a_claimed_forwarding_address_changes_nothing")
        + shown("server/test_proxy", "a_forged_address_does_not_reach_the_application")
        + shown(DEVICES, "a_browser_that_signed_in_before_keeps_its_way_in_while_others_guess")
        + shown(DEVICES, "an_address_that_signed_in_before_keeps_its_way_in_while_others_guess")
        + shown(DEVICES, "a_neighbour_who_guesses_at_many_accounts_shuts_no_known_browser_out")
        + shown("browser/test_sign_in", "who_signed_in_here_before_comes_in_while_others_guess"),
    ),
    4: Case(
        "Odd passwords: 73 bytes, 10 MB, NUL, spaces, emoji, accents in two forms; common ones",
        shown(SIGN_IN, "odd_passwords_never_sign_in_and_never_fail_badly", "the_password_policy_says_what_is_wrong")
        + shown(SIGN_IN, "an_emoji_password_works_to_the_letter")
        + shown(SIGN_IN, "a_password_works_however_a_keyboard_composes_its_accents")
        + shown(SIGN_IN, "every_common_password_of_the_list_that_is_long_enough_is_refused")
        + shown("api/test_auth", "an_odd_password_is_answered_at_once"),
    ),
    5: Case(
        "A second account by another spelling of an address",
        shown(SIGN_IN, "an_address_has_one_account_however_it_is_written", "addresses_have_one_form"),
    ),
    6: Case(
        "A cookie after signing out",
        shown("server/test_session_routes", "signing_out_ends_the_session_and_takes_the_cookie_back")
        + shown("browser/test_sign_in", "signing_out_in_one_window_ends_the_other"),
    ),
    7: Case(
        "A cookie or token after a new password, another role, deactivation",
        shown(
            "core/credentials/test_revocation",
            "all_credentials_die",
            "what_died_stays_dead_when_the_person_is_let_in_again",
        )
        + shown("core/credentials/test_revocation", "a_deactivated_person_is_refused_whatever_way_they_try")
        + shown("core/credentials/test_revocation", "every_table_that_keeps_a_secret_is_a_credential_or_says_why_not"),
    ),
    8: Case(
        "Headers that claim an identity",
        shown("server/test_identity", "what_a_client_claims_to_be_is_thrown_away")
        + shown("server/test_identity", "with_a_cookie_a_forged_header_does_not_count_either")
        + shown("server/test_identity", "streamlits_own_cookies_of_identity_reach_nobody")
        + shown("browser/test_provider", "streamlits_own_cookie_is_no_way_in"),
    ),
    9: Case(
        "Taking over a page's run by its session id",
        shown("pages/test_sign_in", "only_a_live_session_makes_somebody_of_a_visitor")
        + shown("server/test_resume", "a_page_in_use_stays_its_persons", "neither_does_a_header_take_it")
        + shown("server/test_resume", "a_page_that_was_left_waits_for_its_person_alone"),
    ),
    10: Case(
        "A sign-in ticket twice, late, elsewhere",
        shown("server/test_session_routes", "a_ticket_works_once", "a_ticket_of_another_browser_is_worth_nothing_here")
        + shown("server/test_session_routes", "what_another_site_could_send_is_refused")
        + shown("core/credentials/test_sessions", "a_late_ticket_is_worth_nothing"),
    ),
    11: Case(
        "Signing somebody out by a link or from another site",
        shown("server/test_session_routes", "a_get_never_acts", "what_another_site_could_send_is_refused"),
    ),
    12: Case(
        "Planting a session before somebody signs in",
        shown("server/test_session_routes", "every_sign_in_is_a_new_session")
        + shown("server/test_session_routes", "a_planted_session_is_not_the_one_that_follows"),
    ),
    13: Case(
        "Forged access tokens",
        shown("core/credentials/test_access_tokens", "an_access_token_is_refused_for_anything_that_is_wrong_with_it")
        + shown("api/test_auth", "one_kind_of_token_does_not_serve_as_the_other"),
    ),
    14: Case(
        "A refresh token twice",
        shown(
            "core/credentials/test_access_tokens",
            "a_refresh_token_used_again_after_the_grace_or_by_another_client_ends_the_family",
        )
        + shown(
            "core/credentials/test_access_tokens", "who_shares_a_token_within_the_grace_is_found_at_the_next_refresh"
        )
        + shown(
            "core/credentials/test_access_tokens",
            "five_tabs_that_refresh_at_once_get_one_successor_and_keep_their_session",
        ),
    ),
    15: Case(
        "A reset link guessed, twice, late, of another",
        shown("core/sign_in/test_email_links", "a_late_foreign_or_guessed_link_is_worth_nothing")
        + shown("core/sign_in/test_email_links", "a_forgotten_password_is_replaced_by_a_link_that_works_once"),
    ),
    16: Case(
        "Becoming the first administrator twenty times at once, or where there is an administrator by now",
        shown("core/accounts/test_accounts", "the_first_administrator_is_made_once_however_many_try")
        + shown(
            "core/accounts/test_accounts",
            "the_first_administrators_link_ends_with_the_first_administrator_however_they_came",
        )
        + shown("core/accounts/test_accounts", "an_administrator_who_is_being_made_as_the_link_is_used_ends_it"),
    ),
    17: Case(
        "A page inside a foreign frame",
        shown("server/test_in_browser", "another_site_cannot_frame_a_page"),
    ),
    18: Case(
        "A socket from a foreign origin or host",
        shown("server/test_attacks", "a_foreign_page_gets_no_socket")
        + shown("server/test_middleware", "a_socket_with_a_foreign_origin_or_host_is_refused"),
    ),
    # B. Content
    19: Case(
        "Markup and Markdown in every name and cell",
        shown("api/security/test_payloads", "a_payload_in_any_name_or_cell_is_told_literally_by_every_route")
        + shown("api/security/test_payloads", "a_payload_leaves_in_files_as_text")
        + shown("browser/test_payloads", "the_grid_shows_cells_columns_and_the_name")
        + shown("browser/test_payloads", "a_page_shows_payloads_letter_by_letter")
        + shown("browser/test_payloads", "a_dialog_shows_payloads_letter_by_letter")
        + shown("browser/test_payloads", "a_file_of_payloads_is_shown_before_it_is_imported")
        + shown("browser/test_payloads", "the_comments_of_a_row")
        + shown("core/mail/test_outbox", "other_peoples_text_is_text_in_a_letter"),
        "the board, once it is there",
    ),
    20: Case(
        "Directives of colour, icon and formula",
        shown("browser/test_payloads", "a_page_shows_payloads_letter_by_letter", "a_toast_says_a_payload_as_text")
        + shown("pages/test_format", "whatever_is_typed_no_mark_of_markdown_stands_without_its_backslash"),
    ),
    21: Case(
        "Links that lead into scripts or files",
        shown("api/security/test_payloads", "a_link_that_leads_elsewhere_than_to_the_web_is_refused")
        + shown("core/column_types/test_texts", "a_link_that_leads_elsewhere_is_refused"),
    ),
    22: Case(
        "Markup in the labels of charts",
        shown("browser/test_payloads", "the_charts_and_what_they_say_under_the_mouse")
        + shown("pages/test_charts", "the_markup_of_a_label_is_escaped"),
    ),
    23: Case(
        "NUL, lone surrogates, turned text, uncomposed text",
        shown("api/security/test_payloads", "what_breaks_a_columns_rules_is_refused_and_the_old_value_kept")
        + shown("api/security/test_payloads", "a_lone_surrogate_is_refused", "text_is_stored_in_one_composed_form")
        + shown("api/security/test_payloads", "what_turns_the_direction_of_text_is_taken_out")
        + shown("core/views/test_settings", "what_makes_no_sense_is_refused_with_the_reason"),
    ),
    24: Case(
        "A megabyte in one cell",
        shown("api/security/test_payloads", "what_breaks_a_columns_rules_is_refused_and_the_old_value_kept")
        + shown("core/column_types/test_texts", "the_limits_are_named_and_hold_for_typed_and_sent_text"),
    ),
    25: Case(
        "Numbers that are none, or not exact",
        shown("api/security/test_payloads", "numbers_are_exact_or_refused")
        + shown("core/column_types/test_numbers", "what_is_no_exact_number_is_refused")
        + shown(
            "core/column_types/test_numbers",
            "text_that_could_be_two_numbers_is_refused_with_both_and_how_to_write_them",
        ),
    ),
    26: Case(
        "Dates that are none, or two",
        shown("api/security/test_payloads", "what_breaks_a_columns_rules_is_refused_and_the_old_value_kept")
        + shown("core/column_types/test_dates", "a_date_that_could_be_two_days_is_refused_with_both")
        + shown("pages/test_format", "a_cell_is_written_by_its_type_and_one_bad_cell_closes_nothing"),
    ),
    27: Case(
        "A value of the wrong type",
        shown("api/security/test_payloads", "what_breaks_a_columns_rules_is_refused_and_the_old_value_kept")
        + shown("core/column_types/test_registry", "a_value_of_the_wrong_json_type_is_refused"),
    ),
    28: Case(
        "A value that is no choice",
        shown("api/security/test_payloads", "what_breaks_a_columns_rules_is_refused_and_the_old_value_kept")
        + shown("core/column_types/test_choices", "a_program_names_options_by_id_only"),
    ),
    29: Case(
        "JSON with doubled keys, endless depth, 300 MB",
        shown("api/test_bodies", "a_malformed_body_is_refused_with_a_sentence")
        + shown("api/test_bodies", "an_endless_body_is_cut_off_at_the_limit")
        + shown("api/security/test_payloads", "three_hundred_megabytes_are_refused_at_once"),
    ),
    30: Case(
        "Columns with names of code",
        shown("api/security/test_payloads", "a_column_of_any_name_is_a_column_like_any_other")
        + shown("api/security/test_payloads", "a_column_name_that_cannot_be_told_from_another_is_refused")
        + shown("core/sheets/test_columns", "names_that_a_person_would_call_equal_are_refused"),
    ),
    # C. Authorisation
    31: Case(
        "Writing to a read-only or hidden column",
        shown("core/access/test_row_scope", "a_read_only_column_is_shown_and_not_written")
        + shown("core/access/test_row_scope", "no_way_of_reading_tells_of_a_hidden_column")
        + shown("api/security/test_forged", "a_column_that_is_not_there_takes_no_value"),
    ),
    32: Case(
        "Writing to a row that never was",
        shown("api/rows/test_rows", "a_forged_row_is_gone_and_nothing_is_written")
        + shown("api/security/test_forged", "a_forged_deletion_deletes_nothing"),
    ),
    33: Case(
        "Writing to a row that was deleted meanwhile",
        shown("core/edits/test_concurrency", "a_row_that_was_deleted_while_its_edit_waited_is_gone")
        + shown("browser/test_conflicts", "a_value_typed_into_a_row_that_was_deleted_can_be_copied"),
    ),
    34: Case(
        "Adding and deleting rows as a viewer",
        shown("api/security/test_forged", "a_viewers_forged_action_in_part_is_refused_whole")
        + shown("api/security/test_route_matrix", "a_route_answers_each_principal_as_the_table_says"),
    ),
    35: Case(
        "Malformed messages",
        shown("server/test_attacks", "random_bytes_and_text_end_their_socket")
        + shown("api/live/test_presence", "what_is_no_cell_is_ignored")
        + shown("pages/test_grid", "a_forged_value_of_any_shape_shows_a_page"),
    ),
    36: Case(
        "Every write, as every principal who may not",
        shown("api/security/test_route_matrix", "a_route_answers_each_principal_as_the_table_says")
        + shown("api/security/test_route_matrix", "every_route_stands_in_the_table")
        + shown("core/test_permission_matrix", "a_command_obeys_the_permission_table"),
    ),
    37: Case(
        "More than a public link gives",
        shown("api/test_links", "a_visitor_is_nobody_on_every_route_but_those_of_a_link")
        + shown("api/test_links", "nothing_that_a_link_reads_has_a_hidden_value_or_a_name")
        + shown("api/test_links", "a_hidden_column_answers_like_one_that_does_not_exist")
        + shown("core/sharing/test_public_links", "a_search_finds_nothing_in_a_hidden_column"),
    ),
    38: Case(
        "A public link after its end, or guessed",
        shown("core/sharing/test_public_links", "when_a_link_ends_everybody_who_has_it_open_is_out_at_once")
        + shown("core/sharing/test_public_links", "ten_thousand_guesses_are_twenty")
        + shown("browser/test_links", "a_partner_reads_along_until_the_link_is_revoked"),
    ),
    39: Case(
        "Leaving a sheet or the workspace without anybody in charge",
        shown("core/sharing/test_shares", "nobody_is_made_an_owner_and_the_owner_stays_one")
        + shown(
            "core/accounts/test_accounts",
            "the_last_administrator_stays",
            "two_administrators_cannot_dismiss_each_other",
        )
        + shown("core/sharing/test_transfer", "an_administrator_hands_over_what_a_leaver_owned_and_nothing_else")
        + shown("core/sharing/test_transfer", "of_two_transfers_at_once_one_holds"),
    ),
    40: Case(
        "A row of another sheet",
        shown("api/security/test_foreign_ids", "what_is_in_another_sheet_is_not_there")
        + shown("api/security/test_foreign_ids", "somebody_elses_action_is_not_taken_back")
        + shown("api/rows/test_rows", "a_row_of_another_sheet_is_not_reached_through_this_one"),
    ),
    41: Case(
        "Keys in a body that nobody asked for",
        shown("api/security/test_foreign_ids", "a_key_that_no_body_has_is_refused_with_the_whole_request")
        + shown("api/rows/test_rows", "extra_keys_in_a_body_are_refused"),
    ),
    42: Case(
        "An answer that was kept for somebody else",
        shown("api/security/test_foreign_ids", "one_persons_answer_never_reaches_another")
        + shown("core/access/test_row_scope", "who_sees_what_tells_accesses_apart"),
    ),
    43: Case(
        "The address of an export",
        shown("api/security/test_foreign_ids", "the_address_of_an_export_is_worth_nothing_to_another_or_afterwards")
        + shown("browser/test_hand_over", "the_lines_to_mend_come_through_the_page_and_no_address")
        + ("test_architecture.py::test_no_page_puts_a_file_at_an_address_that_opens_to_everybody",),
    ),
    44: Case(
        "A page that is not offered",
        shown("server/test_forged_page", "a_page_that_is_not_offered_is_not_run_however_it_is_asked_for")
        + shown("pages/test_sign_in", "people_are_for_administrators")
        + shown("pages/test_administration", "pages_of_administration_are_not_run_for_members"),
    ),
    45: Case(
        "A GET that acts",
        shown("api/security/test_route_matrix", "a_route_answers_each_principal_as_the_table_says")
        + shown("server/test_session_routes", "a_get_never_acts"),
    ),
    # D. Concurrency
    46: Case(
        "One cell, edited twice from one base",
        shown("core/edits/test_concurrency", "the_same_cell_from_the_same_base_keeps_both_values"),
    ),
    47: Case("Two cells of one row", shown("core/edits/test_write", "different_cells_of_a_row_never_conflict")),
    48: Case(
        "One operation, sent five times at once",
        shown("core/edits/test_concurrency", "one_operation_sent_five_times_at_once_is_one_change"),
    ),
    49: Case(
        "An edit against the end of its row, column, sheet or right",
        shown("core/edits/test_concurrency", "a_row_that_was_deleted_while_its_edit_waited_is_gone")
        + shown("core/edits/test_concurrency", "a_column_that_was_retired_while_its_edit_waited_is_gone")
        + shown("core/edits/test_concurrency", "a_sheet_that_was_archived_while_its_edit_waited_takes_no_edit")
        + shown("core/edits/test_concurrency", "a_right_that_is_withdrawn_meanwhile_refuses_the_next_edit"),
    ),
    50: Case(
        "A hundred new rows at once",
        shown("core/edits/test_concurrency", "a_hundred_parallel_new_rows_are_a_hundred_rows_in_a_strict_order"),
    ),
    # E. Files
    51: Case(
        "Workbooks that are bombs",
        shown("core/imports/test_bad_files", "every_workbook_is_told_from_a_csv"),
        "workbooks are refused whole; their reading, with its bounds, is to come",
    ),
    52: Case(
        "CSV files without end or form",
        shown("core/imports/test_bad_files", "a_bad_file_gets_one_sentence")
        + shown("core/imports/test_bad_files", "one_line_of_fifty_megabytes_is_refused")
        + shown("core/imports/test_bad_files", "a_hundred_thousand_columns_are_refused")
        + shown("api/test_imports", "a_stream_without_a_length_ends_at_the_limit"),
    ),
    53: Case(
        "Formulas in exported cells",
        shown("core/exports/test_exports", "a_csv_has_canonical_texts_and_nothing_that_runs")
        + shown(
            "core/imports/test_quick", "a_spreadsheet_that_separates_by_semicolon_or_tab_finds_no_formula_in_our_file"
        )
        + shown("core/exports/test_exports", "a_workbook_has_typed_cells_and_no_formula")
        + shown("core/imports/test_loading", "the_lines_to_mend_run_in_no_spreadsheet"),
    ),
    54: Case(
        "Uploads of strangers, and a colleague's into somebody else's page",
        shown("server/test_attacks", "strangers_upload_nothing")
        + shown("server/test_resume", "a_colleague_neither_swaps_nor_deletes_anothers_upload")
        + shown("server/test_identity", "an_upload_belongs_to_the_session_that_opened_its_page_on_every_method")
        + shown("server/test_pace", "what_one_person_uploads_is_bounded"),
    ),
    55: Case("An export of 200,000 × 100", to_come="a measurement beside others who work"),
    # F. Abuse and operation
    56: Case(
        "Floods of reruns, sockets and bytes, and a thousand clients that send slowly",
        shown("server/test_slow_clients", "twelve_hundred_slow_clients_keep_nobody_from_being_served")
        + shown("server/test_slow_clients", "a_request_that_does_not_arrive_is_ended_with_its_reason")
        + shown("server/test_attacks", "a_flood_of_reruns_ends_its_socket", "a_frame_that_is_too_long_ends_its_socket")
        + shown("server/test_attacks", "random_bytes_and_text_end_their_socket")
        + shown("server/test_pace", "nobody_holds_more_than_so_many_sockets", "health_and_files_are_never_counted"),
    ),
    57: Case(
        "Emptying caches, asking for debug messages",
        shown("server/test_attacks", "a_shutdown_or_an_emptied_cache_cannot_be_asked_for")
        + shown("server/test_middleware", "forbidden_messages_are_dropped_and_the_page_goes_on"),
    ),
    58: Case(
        "Metrics, agents, paths that climb",
        shown("server/test_attacks", "what_is_closed_tells_nothing")
        + shown("server/test_middleware", "closed_doors_look_like_walls"),
    ),
    59: Case(
        "Secrets and user text in the log",
        shown("server/test_log_secrets", "the_log_holds_nothing_that_lets_in_and_nothing_that_was_typed")
        + shown("server/test_logs", "a_secret_that_is_logged_by_mistake_is_removed")
        + shown("server/test_logs", "a_line_is_one_json_object_whatever_the_text")
        + shown("server/test_logs", "an_error_is_told_by_kind_and_place_never_by_message")
        + shown("db/test_embedded", "the_servers_log_repeats_neither_statements_nor_rows"),
    ),
    60: Case(
        "Starting with settings that are dangerous",
        shown("server/test_settings", "a_bad_value_is_refused_with_its_reason")
        + shown("server/test_settings", "a_data_folder_that_others_can_read_is_refused")
        + shown("server/test_settings", "a_secret_that_others_can_read_is_refused")
        + shown("db/test_start", "an_application_role_with_too_much_power_is_refused")
        + shown("db/test_start", "a_schema_of_a_later_version_is_refused_and_left_alone"),
    ),
    # G. Reach
    61: Case(
        "Putting colleagues into one's own team to see their rows",
        shown("api/test_team_offers", "a_manager_who_puts_somebody_into_a_team_sees_their_rows_once_they_accept")
        + shown("api/test_team_offers", "who_has_not_accepted_gets_nothing_by_the_team_and_manages_nothing"),
    ),
    62: Case(
        "Trying out the values of a unique column",
        shown("core/edits/test_value_guesses", "one_request_names_one_taken_value_and_writes_none_of_the_others")
        + shown("core/edits/test_value_guesses", "after_so_many_taken_values_no_further_one_is_looked_up")
        + shown("core/edits/test_value_guesses", "rows_that_come_back_name_one_taken_value_at_most")
        + shown("core/edits/test_value_guesses", "an_import_names_one_taken_value_at_most"),
    ),
    63: Case(
        "A base from the future",
        shown("api/rows/test_rows", "a_base_from_the_future_is_a_conflict_that_can_be_decided"),
    ),
    64: Case(
        "One operation id for two requests",
        shown("api/rows/test_rows", "an_operation_id_with_other_content_is_refused_and_writes_nothing"),
    ),
    65: Case(
        "A batch that would hold the sheet",
        shown("api/rows/test_rows", "more_cells_than_are_written_at_once_are_refused_by_a_sentence_with_the_limit")
        + shown(
            "core/edits/test_large_batches",
            "the_largest_batch_is_written_in_linear_time_on_a_connection_that_knows_only_small_ones",
        ),
    ),
}
