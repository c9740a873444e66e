{{/* The pod template that every workload is made of. */}}

{{- define "leadline.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "leadline.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "leadline.pullSecrets" -}}
{{- $secrets := concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq -}}
{{- with $secrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where a pod may run. Takes the workload's values. */}}
{{- define "leadline.placement" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" "runtimeClassName" "dnsConfig" }}
{{- with get $ $key }}
{{ $key }}: {{- kindIs "string" . | ternary (printf " %q" (toString .)) (toYaml . | nindent 2) }}
{{- end }}
{{- end }}
{{- if kindIs "bool" .hostUsers }}
hostUsers: {{ .hostUsers }}
{{- end }}
{{- end }}

{{/* Spread over zones and nodes. Takes root, component, values. */}}
{{- define "leadline.spread" -}}
topologySpreadConstraints:
{{- with .values.topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
{{- else }}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "leadline.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}
{{- end }}

{{- define "leadline.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}

{{/*
Pod template. Takes root, component, key (of its values), args, env (text), and what it needs:
serves (ports beside metrics, as a dict; nil: a job), init (text: init containers), settings (dict; the workload's own win), common (whether it reads the common settings),
campaigns, token (a projected ServiceAccount token), apiToken (the cluster's own), checksums (dict), restartPolicy.
*/}}
{{- define "leadline.pod" -}}
{{- $root := .root -}}
{{- $values := include "leadline.workload" (dict "root" $root "key" .key) | fromYaml -}}
{{- $serves := not (kindIs "invalid" .serves) -}}
{{- $projected := and .token (eq $root.Values.auth.mode "serviceAccounts") -}}
{{- $settings := merge (dict) ($values.settings | default dict) (.settings | default dict) -}}
{{- $annotations := merge (dict) ($values.podAnnotations | default dict) (.checksums | default dict) -}}
metadata:
  labels:
    {{- include "leadline.labels" (dict "root" $root "component" .component "labels" $values.podLabels) | nindent 4 }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "leadline.fullname" $root }}-{{ .component }}
  automountServiceAccountToken: {{ .apiToken | default false }}
  enableServiceLinks: false
  {{- with include "leadline.pullSecrets" $root | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with $values.terminationGracePeriodSeconds }}
  terminationGracePeriodSeconds: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml (mergeOverwrite (include "leadline.podSecurityContext" $root | fromYaml) ($values.podSecurityContext | default dict)) | nindent 4 }}
  {{- with include "leadline.placement" $values | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- if $serves }}
  {{- include "leadline.spread" (dict "root" $root "component" .component "values" $values) | nindent 2 }}
  {{- end }}
  {{- if or .init $values.initContainers }}
  initContainers:
    {{- with $values.initContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .init }}
    {{- . | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "leadline.image" $root | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson .args }}
      env:
        {{- regexReplaceAll "(?m)^\\s*\n" (printf "%s\n%s" .env (include "leadline.env.settings" $settings)) "" | trim | nindent 8 }}
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if or .common $values.extraEnvFrom }}
      envFrom:
        {{- if .common }}
        - configMapRef:
            name: {{ include "leadline.fullname" $root }}-settings
        {{- end }}
        {{- with $values.extraEnvFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- if $serves }}
      ports:
        {{- range $name, $port := .serves }}
        - name: {{ $name }}
          containerPort: {{ $port }}
        {{- end }}
        - name: metrics
          containerPort: 9090
      {{- include "leadline.probes" $root | nindent 6 }}
      {{- end }}
      {{- with $values.preStopSeconds }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ . }}
      {{- end }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        {{- toYaml (mergeOverwrite (include "leadline.securityContext" $root | fromYaml) ($values.securityContext | default dict)) | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- if and .campaigns $root.Values.campaigns }}
        - name: campaigns
          mountPath: /etc/leadline
          readOnly: true
        {{- end }}
        {{- if $projected }}
        - name: queue-token
          mountPath: /var/run/secrets/leadline
          readOnly: true
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with $values.sidecars }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- if and .campaigns $root.Values.campaigns }}
    - name: campaigns
      configMap:
        name: {{ include "leadline.fullname" $root }}-campaigns
    {{- end }}
    {{- if $projected }}
    - name: queue-token
      projected:
        sources:
          - serviceAccountToken:
              path: queue-token
              audience: {{ $root.Values.auth.audience | quote }}
              expirationSeconds: {{ $root.Values.auth.tokenSeconds }}
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* An init container of the chart. Takes root, key, name, args, env (text). */}}
{{- define "leadline.initContainer" -}}
{{- $values := include "leadline.workload" (dict "root" .root "key" .key) | fromYaml -}}
- name: {{ .name }}
  image: {{ include "leadline.image" .root | quote }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ toJson .args }}
  env:
    {{- .env | trim | nindent 4 }}
    - name: LEADLINE_LOG_FORMAT
      value: {{ include "leadline.setting" (dict "root" .root "key" .key "name" "LEADLINE_LOG_FORMAT" "default" "json") | quote }}
  resources:
    {{- toYaml $values.resources | nindent 4 }}
  securityContext:
    {{- toYaml (mergeOverwrite (include "leadline.securityContext" .root | fromYaml) ($values.securityContext | default dict)) | nindent 4 }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
{{- end }}

{{/* Waits for a queue-service that is ready, that is, whose schema fits. Takes root and key. */}}
{{- define "leadline.waitForQueue" -}}
{{- include "leadline.initContainer" (dict "root" .root "key" .key "name" "wait-for-queue" "args" (list "wait-for-queue" "--timeout" (toString .root.Values.waitSeconds)) "env" (include "leadline.env.queueUrl" .root)) -}}
{{- end }}
