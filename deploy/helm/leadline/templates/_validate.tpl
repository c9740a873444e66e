{{/* Combinations that cannot work end the rendering with a sentence for each. What is merely unknown or of the wrong type the schema refuses. */}}
{{- define "leadline.validate" -}}
{{- $values := .Values -}}
{{- $problems := concat (include "leadline.problems.database" . | fromYamlArray) (include "leadline.problems.carrier" . | fromYamlArray) (include "leadline.problems.tokens" . | fromYamlArray) (include "leadline.problems.scaling" . | fromYamlArray) (include "leadline.problems.ending" . | fromYamlArray) (include "leadline.problems.jobs" . | fromYamlArray) -}}
{{- with $problems -}}
{{- fail (printf "\n\nThese values cannot work:\n- %s\n" (join "\n- " .)) -}}
{{- end -}}
{{- end }}

{{- define "leadline.problems.database" -}}
{{- $database := .Values.database -}}
{{- $found := list -}}
{{- if eq $database.mode "external" -}}
{{- if not (or $database.url $database.existingSecret) -}}
{{- $found = append $found "There is no database: set database.existingSecret (or database.url), database.mode=cnpg, or database.mode=dev for a first look." -}}
{{- else if and $database.url $database.existingSecret -}}
{{- $found = append $found "There are two databases, database.url and database.existingSecret: keep one of them." -}}
{{- else if and $database.existingSecret (not (or $database.keys.url $database.keys.host)) -}}
{{- $found = append $found "database.existingSecret has no address: name its key in database.keys.url, or in database.keys.host and the others." -}}
{{- end -}}
{{- else if or $database.url $database.existingSecret -}}
{{- $found = append $found (printf "database.mode=%s makes a database, and database.url or database.existingSecret names another one: keep one of them." $database.mode) -}}
{{- end -}}
{{- if and (eq .Values.migrate.mode "hook") (ne $database.mode "external") -}}
{{- $found = append $found (printf "migrate.mode=hook runs before the database of database.mode=%s exists: use migrate.mode=auto or job." $database.mode) -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{- define "leadline.problems.carrier" -}}
{{- $values := .Values -}}
{{- $found := list -}}
{{- if and $values.simulator.enabled $values.bland.existingSecret -}}
{{- $found = append $found "simulator.enabled and bland.existingSecret are both set, so a real key would go to the simulated carrier: set simulator.enabled=false to call for real." -}}
{{- end -}}
{{- if not $values.simulator.enabled -}}
{{- if not $values.bland.existingSecret -}}
{{- $found = append $found "Without the simulated carrier (simulator.enabled=false) Bland's key is needed: set bland.existingSecret." -}}
{{- end -}}
{{- if not (hasPrefix "https://" $values.publicUrl) -}}
{{- $found = append $found "Bland must reach the gateway with its results: set publicUrl to the https:// address under which it does." -}}
{{- end -}}
{{- if and $values.convoso.enabled (not $values.convoso.existingSecret) -}}
{{- $found = append $found "convoso.enabled needs Convoso's token: set convoso.existingSecret." -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{- define "leadline.problems.tokens" -}}
{{- $found := list -}}
{{- $keys := values .Values.auth.keys -}}
{{- if and (not .Values.auth.existingSecret) (ne (len $keys) (len (uniq $keys))) -}}
{{- $found = append $found "auth.keys names one key for two tokens: each caller has a token of its own." -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{- define "leadline.problems.scaling" -}}
{{- $values := .Values -}}
{{- $found := list -}}
{{- if and $values.dialer.hpa.enabled $values.dialer.keda.enabled -}}
{{- $found = append $found "Two autoscalers would pull at the dialers: set dialer.hpa.enabled or dialer.keda.enabled, not both." -}}
{{- end -}}
{{- if and $values.dialer.keda.enabled (eq $values.dialer.keda.trigger "prometheus") (not $values.dialer.keda.prometheus.serverAddress) -}}
{{- $found = append $found "dialer.keda.trigger=prometheus needs dialer.keda.prometheus.serverAddress." -}}
{{- end -}}
{{- range $key, $scaler := dict "gateway.hpa" $values.gateway.hpa "queue.hpa" $values.queue.hpa "dialer.hpa" $values.dialer.hpa "dialer.keda" $values.dialer.keda -}}
{{- if and $scaler.enabled (gt (int $scaler.minReplicas) (int $scaler.maxReplicas)) -}}
{{- $found = append $found (printf "%s.minReplicas (%v) is more than %s.maxReplicas (%v)." $key $scaler.minReplicas $key $scaler.maxReplicas) -}}
{{- end -}}
{{- end -}}
{{- if and $values.gateway.ingress.enabled (not $values.gateway.ingress.hosts) -}}
{{- $found = append $found "gateway.ingress.enabled needs a host in gateway.ingress.hosts." -}}
{{- end -}}
{{- if and $values.gateway.httpRoute.enabled (not $values.gateway.httpRoute.parentRefs) -}}
{{- $found = append $found "gateway.httpRoute.enabled needs a Gateway in gateway.httpRoute.parentRefs." -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{/* A pod that is killed before it has drained gives back nothing. */}}
{{- define "leadline.problems.ending" -}}
{{- $found := list -}}
{{- range $key := list "gateway" "queue" "dialer" "crmSync" -}}
{{- $workload := get $.Values $key -}}
{{- $drain := include "leadline.setting" (dict "root" $ "key" $key "name" "LEADLINE_DRAIN_SECONDS" "default" "20") | float64 -}}
{{- $needed := addf ($workload.preStopSeconds | default 0) $drain 5 | ceil | int -}}
{{- if lt (int $workload.terminationGracePeriodSeconds) $needed -}}
{{- $found = append $found (printf "%s.terminationGracePeriodSeconds=%v is too short: preStopSeconds, LEADLINE_DRAIN_SECONDS and 5 more are %d." $key $workload.terminationGracePeriodSeconds $needed) -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}

{{- define "leadline.problems.jobs" -}}
{{- $values := .Values -}}
{{- $found := list -}}
{{- if and $values.backfill.job.enabled (not (and $values.backfill.arguments.from $values.backfill.arguments.to)) -}}
{{- $found = append $found "backfill.job.enabled needs backfill.arguments.from and backfill.arguments.to." -}}
{{- end -}}
{{- $pass := include "leadline.setting" (dict "root" . "key" "sweep" "name" "LEADLINE_SWEEP_PASS_SECONDS" "default" "600") | float64 -}}
{{- if le ($values.sweep.activeDeadlineSeconds | float64) $pass -}}
{{- $found = append $found (printf "sweep.activeDeadlineSeconds=%v ends a pass before LEADLINE_SWEEP_PASS_SECONDS=%v does: make it longer." $values.sweep.activeDeadlineSeconds $pass) -}}
{{- end -}}
{{- toYaml $found -}}
{{- end }}
