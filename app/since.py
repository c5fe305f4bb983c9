"""What a release had already, where that still makes a difference."""

# Routes of 0.1.0, by their functions: they let a query parameter pass that they do not know, with a Warning, until 1.0.
_OLD = """
step_run catalog create_run list_runs read_run delete_run change_run read_trace predict_own predict read_data
read_history edit_run rewind_run reset_run branch_run backprop
read_walkthrough read_receipt read_nudge read_check read_slice read_contour read_wishes read_health
list_lessons list_types draw_exercise read_exercise check_answer
open_room read_room close_room renew join students remove readmit share step reset pace ask answer close_question
reveal dismiss answers copy hand_in show
"""
LENIENT = frozenset(_OLD.split())
