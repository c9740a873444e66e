{{/* A Deployment. Takes root, component, key, scaled (whether something else sets the number of pods), alone (never two at once), pod (text). */}}
{{- define "leadline.deployment" -}}
{{- $values := get .root.Values .key -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "leadline.metadata" . | nindent 2 }}
spec:
  {{- if not .scaled }}
  replicas: {{ hasKey $values "replicas" | ternary $values.replicas 1 }}
  {{- end }}
  revisionHistoryLimit: 5
  strategy:
    {{- if .alone }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 25%}
    {{- end }}
  selector:
    matchLabels:
      {{- include "leadline.selector" . | nindent 6 }}
  template:
    {{- .pod | nindent 4 }}
{{- end }}

{{/* A Job's spec. Takes root, key, pod (text), failOn (exit codes that no repetition mends). */}}
{{- define "leadline.jobSpec" -}}
{{- $values := get .root.Values .key -}}
backoffLimit: {{ hasKey $values "backoffLimit" | ternary $values.backoffLimit 1 }}
activeDeadlineSeconds: {{ $values.activeDeadlineSeconds }}
ttlSecondsAfterFinished: {{ $values.ttlSecondsAfterFinished }}
podReplacementPolicy: Failed
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
    - action: FailJob
      onExitCodes:
        containerName: {{ .component }}
        operator: In
        values: {{ toJson .failOn }}
template:
  {{- .pod | nindent 2 }}
{{- end }}

{{/* Scales by CPU. Takes root, component, key. */}}
{{- define "leadline.cpuAutoscaler" -}}
{{- $hpa := (get .root.Values .key).hpa -}}
{{- if $hpa.enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "leadline.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "leadline.fullname" .root }}-{{ .component }}
  minReplicas: {{ $hpa.minReplicas }}
  maxReplicas: {{ $hpa.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ $hpa.cpuPercent }}
{{- end }}
{{- end }}

{{/* Takes root, component, key, pods (the fewest there can be). */}}
{{- define "leadline.disruptionBudget" -}}
{{- $pdb := (get .root.Values .key).pdb -}}
{{- if and $pdb.enabled (gt (int .pods) 1) }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "leadline.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ $pdb.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "leadline.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* Annotations that change with a ConfigMap, so that its pods are started anew. Takes root and files (templates' names). */}}
{{- define "leadline.checksums" -}}
{{- range .files }}
checksum/{{ base . | trimSuffix ".yaml" }}: {{ include (print $.root.Template.BasePath "/" .) $.root | sha256sum }}
{{- end }}
{{- end }}
