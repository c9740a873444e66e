"""Rules that whatever the chart renders must keep, each a function that yields a line for every breach."""

from collections.abc import Callable, Iterator

from tests.deploy.documents import Rendered
from tests.deploy.policies import batch, doors, lifecycle, naming, network, privilege, references, security

Policy = Callable[[Rendered], Iterator[str]]

ALWAYS: tuple[Policy, ...] = (
    security.every_component_has_its_own_account,
    security.tokens_are_not_mounted,
    security.no_right_but_to_review_tokens,
    lifecycle.what_serves_is_probed,
    lifecycle.pods_have_time_to_end,
    lifecycle.scaled_workloads_have_no_replicas,
    lifecycle.scaling_down_is_slow,
    lifecycle.autoscalers_use_known_words,
    lifecycle.disruption_budgets_leave_a_way,
    naming.names_are_allowed,
    naming.nothing_is_made_twice,
    naming.objects_are_in_the_namespace,
    naming.everything_is_labelled,
    naming.common_metadata_is_everywhere,
    naming.annotations_are_text,
    naming.hooks_are_known,
    naming.selectors_are_stable,
    naming.images_are_pinned,
    references.what_the_environment_names_is_there,
    references.volumes_are_there,
    references.names_in_the_environment_stand_once,
    references.hooks_need_nothing_that_comes_later,
    references.nothing_that_lasts_is_a_hook,
    doors.services_lead_somewhere,
    doors.monitors_find_their_ports,
    doors.only_the_gateway_is_let_out,
    batch.cron_jobs_are_bounded,
    batch.jobs_are_bounded,
    batch.only_the_sweep_runs_by_itself,
    batch.jobs_are_named_after_what_they_do,
    privilege.secrets_are_seen_by_their_owners,
    privilege.init_containers_see_less,
    privilege.callers_show_their_own_token,
    network.every_pod_is_behind_a_policy,
    network.pods_reach_what_they_need_and_nothing_else,
    network.doors_are_open_to_those_who_need_them,
    network.addresses_in_the_environment_can_be_reached,
)
"""They hold whatever the values are."""

UNLESS_OVERRIDDEN: tuple[Policy, ...] = (
    security.pods_are_restricted,
    security.containers_are_restricted,
    lifecycle.load_balancers_have_time_to_learn,
    lifecycle.resources_are_asked_for,
    lifecycle.deployments_roll_and_spread,
)
"""They hold unless values write security contexts, resources, spreads or preStopSeconds; the scenarios do not."""
