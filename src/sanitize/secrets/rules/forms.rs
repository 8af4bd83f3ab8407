//! Rules for secrets with a distinctive form, which are recognised in any position.

use super::rule::{Rule, unconditional};
use crate::sanitize::secrets::candidate;

/// Requires a word boundary before the pattern, so that a key does not begin inside a word.
macro_rules! word_start {
    ($pattern:expr) => {
        concat!(r"(?-u:\b)", $pattern)
    };
}

/// Line end inside a key, literal or escaped, with the prefix of the next line.
macro_rules! key_line {
    () => {
        r"(?:[\t-\r ]|\\+[rn])+[ -~]{0,80}?"
    };
}

const PRIVATE: &[&str] = &["private key"];

#[rustfmt::skip] // one row, one or two lines
pub(super) const RULES: &[Rule] = &[
    unconditional("private-key", PRIVATE, concat!(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----",
        // Up to the matching end marker. Without one, up to the last character of a key.
        r"(?:(?:[^-]|-{1,4}[^-])*-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----",
        r"|(?:(?:[\t-\r ]|\\+[rn])*[ -~]{0,80}?[A-Za-z0-9+/]{32,}={0,2})*)",
    )),
    // The beginning of the key was cut off.
    unconditional("private-key", PRIVATE, concat!(
        r"[A-Za-z0-9+/]{32,}={0,2}(?:", key_line!(), r"[A-Za-z0-9+/]{32,}={0,2})*",
        r"(?:", key_line!(), r"[A-Za-z0-9+/]{1,76}={0,2})?", key_line!(),
        r"-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----",
    )),
    unconditional("private-key", &["ls0tls1crudjtib"], // the same in base64, as Kubernetes keeps it
        r"LS0tLS1CRUdJTiB(?:QUk|SU0|FQy|FTk|PUE)[A-Za-z0-9+/]{16,}={0,2}"),
    unconditional("private-key", &["age-secret-key-"], r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    unconditional("private-key", &["private-lines:"], concat!(r"Private-Lines: [0-9]+((?:", key_line!(), r"[A-Za-z0-9+/=]{20,})+)")), // of PuTTY
    unconditional("octopus-api-key", &["api-"], r"API-[A-Z0-9]{20,}"),
    unconditional("jwt", &["eyj"], r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}"),

    // Clouds.
    unconditional("aws-secret-key", &["akia", "asia"], r"A(?:KI|SI)A[A-Z0-9]{16}[^A-Za-z0-9/+]{1,6}([A-Za-z0-9/+]{40})(?-u:\b)"),
    unconditional("aws-access-key", &["akia", "asia", "abia", "acca"], r"A(?:KI|SI|BI|CC)A[A-Z0-9]{16}"),
    unconditional("aws-session-token", &["iqojb3jpz2lux2vj", "zxivyxdz"],
        r"(?:IQoJb3JpZ2luX2Vj|F[wQ]oGZXIvYXdz)[A-Za-z0-9+/%]{40,}={0,2}"),
    unconditional("azure-storage-key", &["accountkey"], r"(?i)AccountKey=([A-Za-z0-9+/%]{16,}={0,2})"),
    unconditional("azure-shared-access-key", &["sharedaccesskey"], r"(?i)SharedAccessKey=([A-Za-z0-9+/%]{16,}={0,2})"),
    unconditional("azure-sas", &["sig=", "sig%3d"], r"(?i)(?:(?-u:\b)|u0026|%26)sig(?:=|%3d)([A-Za-z0-9%+/_-]{16,}={0,2})"),
    unconditional("azure-client-secret", &["q~"], r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    // Keys that contain a marker of their service at a fixed position.
    unconditional("azure-key", &["+ast", "+aba", "acdb", "+asb", "+aeh", "+arm", "azfu", "azse", "+acr", "azdo", "jqqj9"], concat!(
        r"[A-Za-z0-9+/]{76}(?:\+A(?:St|Ba)|ACDb)[A-Za-z0-9+/]{6}==",
        r"|[A-Za-z0-9+/]{33}\+A(?:Sb|EH|Eh|Rm)[A-Za-z0-9+/]{6}=",
        r"|[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{6}==|[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}",
        r"|[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9]{5}|[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        r"|[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}(?:[A-Za-z0-9]{2}==)?",
    )),
    unconditional("gcp-api-key", &["aiza"], r"AIza[A-Za-z0-9_-]{35}"),
    unconditional("gcp-oauth", &["ya29.", "gocspx-", "1//0"], r"ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}|(?-u:\b)1//0[A-Za-z0-9_-]{40,}"),
    // The whole document in base64.
    unconditional("gcp-service-account", &["c2vydmljzv9hy2nvdw50", "nlcnzpy2vfywnjb3vud", "zxj2awnlx2fjy291bn"],
        r"(?:eyJ|ewog|ewoJ|ew0K)[A-Za-z0-9+/]{0,24}(?:c2VydmljZV9hY2NvdW50|NlcnZpY2VfYWNjb3VudC|zZXJ2aWNlX2FjY291bnQ)[A-Za-z0-9+/]{16,}={0,2}"),
    unconditional("url-signature", &["x-amz-signature=", "x-goog-signature="], r"(?i)X-(?:Amz|Goog)-Signature=([A-F0-9]{32,})"),
    unconditional("digitalocean-token", &["_v1_"], word_start!(r"do[opr]_v1_[a-f0-9]{60,}")),

    // Code, packages and images.
    unconditional("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        r"gh[opusr]_[A-Za-z0-9_]{30,}|github_pat_[A-Za-z0-9_]{30,}"),
    unconditional("gitlab-token", &["glpat-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "gloas-", "glsoat-", "glagent-", "glffct-", "glwt-", "gr1348941"],
        r"gl(?:pat|dt|rtr?|cbt|ptt|ft|imt|oas|soat|agent|ffct|wt)-[A-Za-z0-9_.-]{20,}|GR1348941[A-Za-z0-9_-]{20,}"),
    unconditional("bitbucket-token", &["atbb", "atctt3x", "atatt3x"], word_start!(r"(?:ATBB[A-Za-z0-9]{32}|AT[CA]TT3x[A-Za-z0-9_=-]{50,})")),
    unconditional("npm-token", &["npm_"], r"npm_[A-Za-z0-9]{30,}"),
    unconditional("pypi-token", &["pypi-"], r"pypi-[A-Za-z0-9_-]{50,}"),
    unconditional("nuget-api-key", &["oy2"], r"oy2[a-z0-9]{43}"),
    unconditional("rubygems-key", &["rubygems_"], word_start!(r"rubygems_[a-f0-9]{48}")),
    Rule { kind: "crates-token", hints: &["cio"], accept: candidate::is_generated, pattern: word_start!(r"cio[A-Za-z0-9]{32}(?-u:\b)") },
    unconditional("docker-token", &["dckr_"], r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    unconditional("artifactory-token", &["akcp", "cmvmdgtu"], word_start!(r"(?:AKCp[A-Za-z0-9]{60,}|cmVmdGtu[A-Za-z0-9]{50,})")),
    unconditional("sonar-token", &["sqp_", "squ_", "sqa_"], word_start!(r"sq[pua]_[a-f0-9]{40}")),

    // Infrastructure and telemetry.
    unconditional("vault-token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    unconditional("terraform-token", &[".atlasv1."], r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
    unconditional("pulumi-token", &["pul-"], word_start!(r"pul-[a-f0-9]{40}")),
    unconditional("doppler-token", &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."], word_start!(r"dp\.(?:pt|st|ct|sa)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,}")),
    unconditional("openshift-token", &["sha256~"], r"sha256~[A-Za-z0-9_-]{40,}"),
    unconditional("databricks-token", &["dapi", "dose"], word_start!(r"(?:dapi|dose)[a-f0-9]{32}(?:-[0-9]{1,2})?")),
    unconditional("grafana-token", &["glsa_", "glc_ey", "eyjrijoi"],
        word_start!(r"(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_eyJ[A-Za-z0-9+/=]{30,}|eyJrIjoi[A-Za-z0-9+/]{40,}={0,2})")),
    unconditional("new-relic-key", &["nrak-", "nraa-", "nrii-", "ffffnral"], word_start!(r"(?:NR(?:AK|AA|II)-[A-Za-z0-9_-]{27,}|[a-f0-9]{32}FFFFNRAL)")),
    unconditional("datadog-token", &["ddpat_", "ddapp_"], word_start!(r"dd(?:pat|app)_[A-Za-z0-9_-]{20,}")),
    unconditional("sentry-token", &["sntrys_", "sntryu_"], word_start!(r"sntry[su]_[A-Za-z0-9+/=_-]{40,}")),
    unconditional("1password-token", &["ops_eyj"], word_start!(r"ops_eyJ[A-Za-z0-9+/=_-]{60,}")),

    // Messaging, payment and AI models.
    unconditional("slack-token", &["xox", "xapp-"], r"(?:xoxe\.)?(?:xox[a-z]|xapp)-(?:[A-Za-z0-9]+-)*[A-Za-z0-9]{10,}"),
    unconditional("slack-webhook", &["hooks.slack"], r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{20,})"),
    unconditional("discord-webhook", &["/api/webhooks/"], r"discord(?:app)?\.com/api/webhooks/([0-9]{15,20}/[A-Za-z0-9_-]{40,})"),
    unconditional("teams-webhook", &["/webhookb2/", "/incomingwebhook/"],
        r"(?i)/(?:webhookb2/([a-f0-9-]{36}@[a-f0-9-]{36}/)?)?IncomingWebhook/([a-f0-9]{32}/[A-Za-z0-9/_-]{36,})"),
    unconditional("telegram-token", &[":aa"], word_start!(r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}")),
    unconditional("stripe-key", &["k_live_", "k_test_", "whsec_"], r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{24,}={0,2}"),
    unconditional("sendgrid-key", &["sg."], r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    unconditional("twilio-key", &["sk"], word_start!(r"SK[a-f0-9]{32}(?-u:\b)")),
    unconditional("mailgun-key", &["key-"], word_start!(r"key-[a-f0-9]{32}(?-u:\b)")),
    unconditional("mailchimp-key", &["-us"], word_start!(r"[a-f0-9]{32}-us[0-9]{1,2}(?-u:\b)")),
    unconditional("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_"], word_start!(r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}")),
    unconditional("postman-key", &["pmak-"], word_start!(r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}")),
    unconditional("linear-key", &["lin_api_"], word_start!(r"lin_api_[A-Za-z0-9]{32,}")),
    unconditional("launchdarkly-key", &["sdk-", "api-"], word_start!(r"(?:sdk|api)-[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}")),
    unconditional("model-api-key", &["sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-v1-", "t3blbkfj", "hf_", "gsk_", "xai-", "pplx-"], concat!(
        r"(?-u:\b)sk-(?:ant|proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{20,}|(?-u:\b)sk-[A-Za-z0-9_-]{16,}T3BlbkFJ[A-Za-z0-9_-]{16,}",
        r"|(?-u:\b)hf_[A-Za-z]{34}(?-u:\b)|(?-u:\b)gsk_[A-Za-z0-9]{40,}|(?-u:\b)xai-[A-Za-z0-9]{60,}|(?-u:\b)pplx-[A-Za-z0-9]{40,}",
    )),
    Rule { kind: "model-api-key", hints: &["sk-"], accept: candidate::is_generated, // the older form
        pattern: r"(?:^|[^A-Za-z0-9_-])(sk-[A-Za-z0-9]{40,64})(?-u:\b)" },
];

/// Prefix of tokens with a standard format.
pub(in crate::sanitize::secrets) struct TokenPrefix {
    pub(in crate::sanitize::secrets) kind: &'static str,
    pub(in crate::sanitize::secrets) pattern: &'static str,
    /// Whether the prefix is unambiguous. Otherwise the following characters must look generated.
    pub(in crate::sanitize::secrets) is_certain: bool,
}

const fn certain(kind: &'static str, pattern: &'static str) -> TokenPrefix {
    TokenPrefix { kind, pattern, is_certain: true }
}

const fn likely(kind: &'static str, pattern: &'static str) -> TokenPrefix {
    TokenPrefix { kind, pattern, is_certain: false }
}

/// Prefixes that identify a token that a line break splits. Forms that are recognised by their
/// middle or end have no row.
pub(in crate::sanitize::secrets) const TOKEN_PREFIXES: &[TokenPrefix] = &[
    likely("octopus-api-key", "API-"),
    likely("jwt", "eyJ"),
    likely("aws-access-key", "A(?:KI|SI|BI|CC)A"),
    certain("aws-session-token", "IQoJb3JpZ2luX2Vj|F[wQ]oGZXIvYXdz"),
    certain("azure-client-secret", r"[A-Za-z0-9_~.-]{3}[0-9]Q~"),
    certain("gcp-oauth", r"ya29\.|GOCSPX-|1//0"),
    certain("gcp-api-key", "AIza"),
    certain("digitalocean-token", "do[opr]_v1_"),
    certain("github-token", "gh[opusr]_|github_pat_"),
    certain("gitlab-token", "gl(?:pat|dt|rtr?|cbt|ptt|ft|imt|oas|soat|agent|ffct|wt)-|GR1348941"),
    likely("bitbucket-token", "ATBB|AT[CA]TT3x"),
    likely("npm-token", "npm_"),
    likely("pypi-token", "pypi-"),
    likely("rubygems-key", "rubygems_"),
    likely("nuget-api-key", "oy2"),
    certain("docker-token", "dckr_(?:pat|oat)_"),
    likely("artifactory-token", "AKCp|cmVmdGtu"),
    certain("sonar-token", "sq[apu]_"),
    certain("vault-token", r"hv[sbr]\."),
    certain("terraform-token", r"[A-Za-z0-9]{14}\.atlasv1\."),
    likely("pulumi-token", "pul-"),
    certain("doppler-token", r"dp\.(?:pt|st|ct|sa)\."),
    likely("openshift-token", "sha256~"),
    likely("databricks-token", "dapi|dose"),
    certain("grafana-token", "glsa_|glc_eyJ|eyJrIjoi"),
    certain("new-relic-key", "NR(?:AK|AA|II)-"),
    likely("datadog-token", "dd(?:pat|app)_"),
    certain("sentry-token", "sntry[su]_"),
    certain("1password-token", "ops_eyJ"),
    certain("slack-token", "xox[a-z]-|xapp-"),
    certain("slack-webhook", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/"),
    certain("telegram-token", r"[0-9]{8,10}:AA"),
    certain("stripe-key", "[rs]k_(?:live|test)_|whsec_"),
    likely("sendgrid-key", r"SG\."),
    certain("shopify-token", "shp(?:at|ca|pa|ss)_"),
    certain("postman-key", "PMAK-"),
    certain("linear-key", "lin_api_"),
    likely("launchdarkly-key", "(?:sdk|api)-[a-f0-9]{8}-"),
    certain("model-api-key", "sk-(?:ant|proj|svcacct|admin|or-v1)-"),
    likely("model-api-key", "hf_|gsk_|xai-|pplx-"),
    certain("private-key", "AGE-SECRET-KEY-1|LS0tLS1CRUdJTi"),
];
