{{/* Environment variables, by what they are for. Every workload gets those of its work, and nothing else. */}}

{{/* The queue-service's address, for who waits for it. */}}
{{- define "leadline.env.queueUrl" -}}
- name: LEADLINE_QUEUE_URL
  value: http://{{ include "leadline.fullname" . }}-queue:8081
{{- end }}

{{/* Who asks the queue-service, and as whom. Takes root and caller, a key of auth.keys. */}}
{{- define "leadline.env.queueClient" -}}
{{ include "leadline.env.queueUrl" .root }}
{{- if eq .root.Values.auth.mode "serviceAccounts" }}
- name: LEADLINE_QUEUE_TOKEN_FILE
  value: /var/run/secrets/leadline/queue-token
{{- else }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_QUEUE_TOKEN" "secret" (include "leadline.secret.tokens" .root) "key" (get .root.Values.auth.keys .caller)) }}
{{- end }}
{{- end }}

{{/* The database's URL, or its parts under libpq's names. Takes root and secret. */}}
{{- define "leadline.env.databaseFrom" -}}
{{- $database := .root.Values.database -}}
{{- $secret := .secret -}}
{{- $keys := and (eq $database.mode "external") (empty $database.url) | ternary $database.keys (dict "url" "uri") -}}
{{- if $keys.url -}}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_DATABASE_URL" "secret" $secret "key" $keys.url) }}
{{- else -}}
- name: LEADLINE_DATABASE_URL
  value: "postgresql://"
{{- range $variable, $key := dict "PGHOST" $keys.host "PGPORT" $keys.port "PGDATABASE" $keys.name "PGUSER" $keys.user "PGPASSWORD" $keys.password }}
{{- if $key }}
{{ include "leadline.secretEnv" (dict "name" $variable "secret" $secret "key" $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "leadline.env.bland" -}}
- name: LEADLINE_BLAND_BASE_URL
  value: {{ .Values.simulator.enabled | ternary (printf "http://%s-simulator:8090" (include "leadline.fullname" .)) .Values.bland.baseUrl | quote }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_BLAND_API_KEY" "secret" (include "leadline.secret.bland" .) "key" .Values.bland.keys.apiKey) }}
{{- end }}

{{- define "leadline.env.convoso" -}}
{{- if .Values.convoso.enabled -}}
- name: LEADLINE_CONVOSO_BASE_URL
  value: {{ include "leadline.convosoSimulated" . | empty | ternary .Values.convoso.baseUrl (printf "http://%s-simulator:8090/convoso/v1" (include "leadline.fullname" .)) | quote }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_CONVOSO_AUTH_TOKEN" "secret" (include "leadline.secret.convoso" .) "key" .Values.convoso.key) }}
{{- end }}
{{- end }}

{{- define "leadline.env.campaigns" -}}
{{- if .Values.campaigns -}}
- name: LEADLINE_CAMPAIGNS_FILE
  value: /etc/leadline/campaigns.yaml
{{- end }}
{{- end }}

{{- define "leadline.env.publicUrl" -}}
- name: LEADLINE_PUBLIC_URL
  value: {{ .Values.publicUrl | default (printf "http://%s-gateway:%v" (include "leadline.fullname" .) .Values.gateway.service.port) | quote }}
{{- end }}

{{/* Takes a dict of settings. */}}
{{- define "leadline.env.settings" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ include "leadline.text" $value | quote }}
{{- end }}
{{- end }}

{{- define "leadline.env.database" -}}
{{ include "leadline.env.databaseFrom" (dict "root" . "secret" (include "leadline.secret.database" .)) }}
{{- end }}

{{- define "leadline.env.gateway" -}}
{{ include "leadline.env.queueClient" (dict "root" . "caller" "gateway") }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_GATEWAY_API_KEYS" "secret" (include "leadline.secret.gatewayKeys" .) "key" (empty .Values.gatewayKeys.existingSecret | ternary "api-keys" .Values.gatewayKeys.key)) }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_BLAND_WEBHOOK_SECRETS" "secret" (include "leadline.secret.bland" .) "key" .Values.bland.keys.webhookSecrets) }}
{{- end }}

{{- define "leadline.env.queue" -}}
{{ include "leadline.env.database" . }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_QUEUE_TOKENS" "secret" (include "leadline.secret.tokens" .) "key" .Values.auth.keys.accepted) }}
{{- if eq .Values.auth.mode "serviceAccounts" }}
- name: LEADLINE_QUEUE_SERVICE_ACCOUNTS
  value: {{ include "leadline.callers" . }}
- name: LEADLINE_QUEUE_AUDIENCE
  value: {{ .Values.auth.audience | quote }}
{{- end }}
- name: LEADLINE_CRM
  value: {{ .Values.convoso.enabled | ternary "convoso" "none" }}
{{ include "leadline.env.campaigns" . }}
{{- end }}

{{/* caller=namespace/serviceaccount of every workload that asks the queue-service. */}}
{{- define "leadline.callers" -}}
{{- $name := include "leadline.fullname" . -}}
{{- $pairs := list -}}
{{- range $caller := list "gateway" "dialer" "sweep" "crm-sync" "backfill" -}}
{{- $pairs = append $pairs (printf "%s=%s/%s-%s" $caller $.Release.Namespace $name $caller) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end }}

{{- define "leadline.env.dialer" -}}
{{ include "leadline.env.queueClient" (dict "root" . "caller" "dialer") }}
{{ include "leadline.env.bland" . }}
{{ include "leadline.env.convoso" . }}
{{ include "leadline.env.publicUrl" . }}
{{ include "leadline.env.campaigns" . }}
- name: LEADLINE_DIALER_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}

{{- define "leadline.env.crmSync" -}}
{{ include "leadline.env.queueClient" (dict "root" . "caller" "crmSync") }}
{{ include "leadline.env.convoso" . }}
{{- end }}

{{- define "leadline.env.sweep" -}}
{{ include "leadline.env.queueClient" (dict "root" . "caller" "sweep") }}
{{ include "leadline.env.bland" . }}
- name: LEADLINE_METRICS_PORT
  value: "0"
{{- end }}

{{- define "leadline.env.backfill" -}}
{{ include "leadline.env.queueClient" (dict "root" . "caller" "backfill") }}
{{ include "leadline.env.bland" . }}
{{ include "leadline.env.convoso" . }}
- name: LEADLINE_METRICS_PORT
  value: "0"
{{- $arguments := .Values.backfill.arguments }}
{{- range $variable, $value := dict "FROM" $arguments.from "TO" $arguments.to "CAMPAIGN" $arguments.campaign "PACE" $arguments.pace "DETAILS_PACE" $arguments.detailsPace "WINDOW" $arguments.window }}
{{- if $value }}
- name: LEADLINE_BACKFILL_{{ $variable }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if $arguments.dryRun }}
- name: LEADLINE_BACKFILL_DRY_RUN
  value: "true"
{{- end }}
{{- end }}

{{- define "leadline.env.migrate" -}}
{{- $own := and (eq (include "leadline.migrateMode" .) "hook") (not (empty .Values.database.url)) -}}
{{ include "leadline.env.databaseFrom" (dict "root" . "secret" ($own | ternary (printf "%s-migrate-database" (include "leadline.fullname" .)) (include "leadline.secret.database" .))) }}
- name: LEADLINE_METRICS_PORT
  value: "0"
{{- end }}

{{- define "leadline.env.simulator" -}}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_SIMULATOR_API_KEY" "secret" (include "leadline.secret.bland" .) "key" .Values.bland.keys.apiKey) }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_SIMULATOR_WEBHOOK_SECRET" "secret" (include "leadline.secret.bland" .) "key" .Values.bland.keys.webhookSecrets) }}
{{- if include "leadline.convosoSimulated" . }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_SIMULATOR_CONVOSO_TOKEN" "secret" (include "leadline.secret.convoso" .) "key" .Values.convoso.key) }}
- name: LEADLINE_SIMULATOR_CONVOSO_ADOPTS
  value: "true"
{{- if not .Values.gatewayKeys.existingSecret }}
- name: LEADLINE_SIMULATOR_CONVOSO_CONNECT_URL
  value: http://{{ include "leadline.fullname" . }}-gateway:{{ .Values.gateway.service.port }}/webhooks/convoso
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_SIMULATOR_CONVOSO_CONNECT_KEY" "secret" (include "leadline.secret.gatewayKeys" .) "key" "api-key") }}
{{- end }}
{{- end }}
{{- end }}

{{- define "leadline.env.smoke" -}}
{{ include "leadline.env.queueUrl" . }}
- name: LEADLINE_GATEWAY_URL
  value: http://{{ include "leadline.fullname" . }}-gateway:{{ .Values.gateway.service.port }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_QUEUE_TOKEN" "secret" (include "leadline.secret.tokens" .) "key" .Values.auth.keys.operator) }}
{{ include "leadline.secretEnv" (dict "name" "LEADLINE_SMOKE_GATEWAY_KEY" "secret" (.Values.smoke.gatewayKey.existingSecret | default (include "leadline.secret.gatewayKeys" .)) "key" (empty .Values.gatewayKeys.existingSecret | ternary "api-key" .Values.smoke.gatewayKey.key)) }}
{{- end }}
