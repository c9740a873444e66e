{{- define "leadline.backfillPod" -}}
{{- $at := dict "root" . "component" "backfill" "key" "backfill" -}}
{{- include "leadline.pod" (merge (dict "args" (list "backfill") "env" (include "leadline.env.backfill" .) "common" true "token" true "restartPolicy" "Never") $at) -}}
{{- end }}
