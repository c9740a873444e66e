{{/* Which Secret holds what: given ones, or those of this chart. */}}

{{- define "leadline.secret.tokens" -}}
{{- .Values.auth.existingSecret | default (printf "%s-tokens" (include "leadline.fullname" .)) -}}
{{- end }}

{{- define "leadline.secret.gatewayKeys" -}}
{{- .Values.gatewayKeys.existingSecret | default (printf "%s-gateway-keys" (include "leadline.fullname" .)) -}}
{{- end }}

{{- define "leadline.secret.bland" -}}
{{- .Values.bland.existingSecret | default (printf "%s-simulated" (include "leadline.fullname" .)) -}}
{{- end }}

{{- define "leadline.secret.convoso" -}}
{{- .Values.convoso.existingSecret | default (printf "%s-simulated" (include "leadline.fullname" .)) -}}
{{- end }}

{{- define "leadline.secret.database" -}}
{{- $name := include "leadline.fullname" . -}}
{{- if eq .Values.database.mode "dev" -}}{{ $name }}-postgres
{{- else if eq .Values.database.mode "cnpg" -}}{{ $name }}-db-app
{{- else -}}{{ .Values.database.existingSecret | default (printf "%s-database" $name) }}
{{- end -}}
{{- end }}

{{/* One environment variable from a Secret. Takes name, secret, key. */}}
{{- define "leadline.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
{{- end }}

{{/* What stands in a Secret that this chart made, or a new random text. Takes root, secret, key, length. */}}
{{- define "leadline.kept" -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace .secret -}}
{{- $kept := get (($there | default dict).data | default dict) .key -}}
{{- $kept | empty | ternary (randAlphaNum .length) ($kept | b64dec) -}}
{{- end }}
