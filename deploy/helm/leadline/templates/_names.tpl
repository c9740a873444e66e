{{/* Names and labels. */}}

{{/* The release's name, as a Service may have it: begun with a letter, without dots, short enough for what is appended. */}}
{{- define "leadline.fullname" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name | replace "." "-" -}}
{{- regexMatch "^[a-z]" $name | ternary $name (printf "leadline-%s" $name) | trunc 42 | trimSuffix "-" -}}
{{- end }}

{{- define "leadline.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* Labels that never change: selectors stand on them. Takes root and component. */}}
{{- define "leadline.selector" -}}
app.kubernetes.io/name: {{ include "leadline.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* All labels: takes root, component, optionally labels. A label that stands in several places is written once; the chart's own win. */}}
{{- define "leadline.labels" -}}
{{- mergeOverwrite (deepCopy .root.Values.commonLabels) (.labels | default dict) (include "leadline.standardLabels" . | fromYaml) | toYaml -}}
{{- end }}

{{- define "leadline.standardLabels" -}}
{{ include "leadline.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: leadline
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* metadata of an object: takes root, component, optionally suffix (default: the component), annotations, labels. */}}
{{- define "leadline.metadata" -}}
{{- $suffix := hasKey . "suffix" | ternary .suffix .component -}}
name: {{ list (include "leadline.fullname" .root) $suffix | compact | join "-" | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "leadline.labels" . | nindent 2 }}
{{- $annotations := merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "leadline.image" -}}
{{- $image := .Values.image -}}
{{- $registry := .Values.global.imageRegistry | default $image.registry -}}
{{- $name := empty $registry | ternary $image.repository (printf "%s/%s" $registry $image.repository) -}}
{{- if not $image.digest -}}
{{ $name }}:{{ $image.tag | default .Chart.AppVersion }}
{{- else -}}
{{ $name }}{{ with $image.tag }}:{{ . }}{{ end }}@{{ $image.digest }}
{{- end -}}
{{- end }}

{{/* A workload's values: its own over `defaults`. Takes root and key (gateway, crmSync ...). */}}
{{- define "leadline.workload" -}}
{{- toYaml (mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (get .root.Values .key))) -}}
{{- end }}

{{/* A value as the text of a setting: numbers without exponent. */}}
{{- define "leadline.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ printf "%.0f" . }}
{{- else -}}
{{ toString . }}
{{- end -}}
{{- end }}

{{- define "leadline.convosoSimulated" -}}
{{- if and .Values.convoso.enabled .Values.simulator.enabled (not .Values.convoso.existingSecret) }}true{{ end -}}
{{- end }}

{{- define "leadline.migrateMode" -}}
{{- if eq .Values.migrate.mode "auto" -}}
{{ eq .Values.database.mode "external" | ternary "hook" "job" }}
{{- else -}}
{{ .Values.migrate.mode }}
{{- end -}}
{{- end }}

{{/* A setting as a pod sees it: the workload's own, else the common one, else the default given. Takes root, key, name, default. */}}
{{- define "leadline.setting" -}}
{{- $own := (get .root.Values .key).settings | default dict -}}
{{- $common := merge (dict) $own .root.Values.defaults.settings .root.Values.settings -}}
{{- include "leadline.text" (hasKey $common .name | ternary (get $common .name) .default) -}}
{{- end }}
