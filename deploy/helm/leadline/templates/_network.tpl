{{/* Rules of one workload's NetworkPolicy. Takes root, component, rule: in (rules as they are), inFrom (components), out (see below). */}}
{{- define "leadline.policyRules" -}}
{{- $root := .root -}}
{{- $policy := $root.Values.networkPolicy -}}
{{- $in := .rule.in | default list -}}
{{- $peers := list -}}
{{- range .rule.inFrom -}}
{{- $peers = append $peers (include "leadline.peer" (dict "root" $root "component" .) | fromYaml) -}}
{{- end -}}
{{- if eq .component "queue" -}}
{{- $peers = concat $peers $policy.operatorsFrom -}}
{{- end -}}
{{- with $peers -}}
{{- $in = append $in (dict "from" . "ports" (list (dict "port" (get (dict "gateway" 8080 "queue" 8081 "simulator" 8090 "postgres" 5432) $.component)))) -}}
{{- end -}}
{{- $out := list -}}
{{- range .rule.out -}}
{{- if .to -}}
{{- $out = append $out (dict "to" (list (include "leadline.peer" (dict "root" $root "component" .to) | fromYaml)) "ports" (list (dict "port" .port))) -}}
{{- else if .internet -}}
{{- $out = append $out (include "leadline.egress" $policy.internet | fromYaml) -}}
{{- else if .api -}}
{{- $out = append $out (include "leadline.egress" $policy.kubernetesApi | fromYaml) -}}
{{- else if .database -}}
{{- $out = append $out (include "leadline.egressToDatabase" $root | fromYaml) -}}
{{- end -}}
{{- end -}}
{{- with $out -}}
{{- $dns := dict "ports" (list (dict "port" 53 "protocol" "UDP") (dict "port" 53 "protocol" "TCP")) -}}
{{- $out = concat (list $dns) (uniq .) $policy.extraEgress -}}
{{- end -}}
{{- with $in -}}
ingress:
  {{- toYaml . | nindent 2 }}
{{ end -}}
{{- with $out -}}
egress:
  {{- toYaml . | nindent 2 }}
{{ end -}}
{{- end }}

{{- define "leadline.peer" -}}
podSelector:
  matchLabels:
    {{- include "leadline.selector" . | nindent 4 }}
{{- end }}

{{/* Takes to (peers; empty: anywhere) and ports. */}}
{{- define "leadline.egress" -}}
{{- with .to }}
to:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
{{- range .ports }}
  - port: {{ . }}
{{- end }}
{{- end }}

{{- define "leadline.egressToDatabase" -}}
{{- if eq .Values.database.mode "dev" -}}
to:
  - {{- include "leadline.peer" (dict "root" . "component" "postgres") | nindent 4 }}
ports:
  - port: 5432
{{- else if eq .Values.database.mode "cnpg" -}}
to:
  - podSelector:
      matchLabels:
        cnpg.io/cluster: {{ include "leadline.fullname" . }}-db
ports:
  - port: 5432
{{- else -}}
{{- include "leadline.egress" .Values.networkPolicy.database -}}
{{- end -}}
{{- end }}
