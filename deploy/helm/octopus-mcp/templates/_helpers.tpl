{{- define "octopus-mcp.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Shorter than 63, so that "-admin" has room behind it. */}}
{{- define "octopus-mcp.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "octopus-mcp.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "octopus-mcp.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "octopus-mcp.selector" -}}
app.kubernetes.io/name: {{ include "octopus-mcp.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "octopus-mcp.labels" -}}
{{ include "octopus-mcp.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "octopus-mcp.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "octopus-mcp.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "octopus-mcp.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- if .Values.image.digest -}}
{{- printf "%s:%s@%s" .Values.image.repository $tag .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository $tag -}}
{{- end -}}
{{- end -}}

{{/* What would start wrongly, or put a secret where everybody can read it, is refused here. */}}
{{- define "octopus-mcp.check" -}}
{{- $config := .Values.config -}}
{{- if not (or .Values.octopus.url (regexMatch "(?m)^\\s*(\\[(instances\\.|sample\\])|url\\s*=)" $config)) -}}
{{- fail "say which Octopus to reach: octopus.url=https://octopus.example.com, or [instances.NAME] in `config`" -}}
{{- end -}}
{{- if not (or .Values.hosts .Values.publicUrl (regexMatch "(?m)^\\s*(allowed_hosts|public_url)\\s*=" $config)) -}}
{{- fail "say under which names clients reach the server: hosts={mcp.example.com}; all others are refused" -}}
{{- end -}}
{{- if regexMatch "(?m)(\\bAPI-[A-Z0-9]{10,}|^[^#\n]*\\b(api_key|access_token|seal_key|seal_key_previous|hash_key)\\s*=)" $config -}}
{{- fail "`config` lands in a ConfigMap and holds a secret; put it into a Secret, and name that in secrets.env or secrets.files" -}}
{{- end -}}
{{- $proxies := or .Values.trustedProxies .Values.env.OCTOPUS_MCP_HTTP__TRUSTED_PROXIES (regexMatch "(?m)^\\s*(http\\.)?trusted_proxies\\s*=" $config) -}}
{{- if and .Values.ingress.enabled (not $proxies) -}}
{{- fail "say where the ingress is: trustedProxies={10.0.0.0/8}, the network of its pods; without it all callers have its address, and are held back together" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- end -}}
