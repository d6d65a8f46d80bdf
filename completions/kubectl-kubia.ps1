
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'kubectl-kubia' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'kubectl-kubia'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'kubectl-kubia' {
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Read only this kubeconfig file')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Use this kubeconfig context')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Use this cluster of the kubeconfig')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Use this user of the kubeconfig')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--certificate-authority', '--certificate-authority', [CompletionResultType]::ParameterName, 'Trust the certificate authority in this file')
            [CompletionResult]::new('--insecure-skip-tls-verify', '--insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Accept any certificate of the server, which makes the connection insecure')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect the server''s certificate to be for this name')
            [CompletionResult]::new('--proxy-url', '--proxy-url', [CompletionResultType]::ParameterName, 'Go through this proxy: http, https or socks5')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Use this bearer token; others on this machine can see it among the processes')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'Use the certificate in this file to log in')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Use the key in this file to log in')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Use this name for basic authentication')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Use this password for basic authentication; others on this machine can see it')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group, with --as; may be repeated')
            [CompletionResult]::new('--as-uid', '--as-uid', [CompletionResultType]::ParameterName, 'Act with this uid, with --as')
            [CompletionResult]::new('--as-user-extra', '--as-user-extra', [CompletionResultType]::ParameterName, 'Act with this attribute, with --as: NAME=VALUE; may be repeated')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--warnings-as-errors', '--warnings-as-errors', [CompletionResultType]::ParameterName, 'Fail, after all is done, if the server has sent a warning')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is cached')
            [CompletionResult]::new('--disable-compression', '--disable-compression', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is compressed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('gateway-url', 'gateway-url', [CompletionResultType]::ParameterValue, 'Print host:port of the ingress gateway')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Deploy the tutorial''s app: two versions behind the ingress gateway')
            [CompletionResult]::new('shift', 'shift', [CompletionResultType]::ParameterValue, 'Set the share of requests that goes to a version')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the way of a request: gateway, route, versions, pods')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Complete command lines: scripts for shells, and kubectl''s own completion')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kubectl-kubia;gateway-url' {
            [CompletionResult]::new('--gateway-namespace', '--gateway-namespace', [CompletionResultType]::ParameterName, 'Take the ingress gateway from this namespace instead of looking in the usual ones')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'Take the ingress gateway behind this Service')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Take the ingress gateway whose pods have these labels: `istio=ingress`')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Take the ingress gateway whose pods have these labels: `istio=ingress`')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Use the port of this name or number')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Use only this source of addresses')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this time')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Read only this kubeconfig file')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Use this kubeconfig context')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Use this cluster of the kubeconfig')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Use this user of the kubeconfig')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--certificate-authority', '--certificate-authority', [CompletionResultType]::ParameterName, 'Trust the certificate authority in this file')
            [CompletionResult]::new('--insecure-skip-tls-verify', '--insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Accept any certificate of the server, which makes the connection insecure')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect the server''s certificate to be for this name')
            [CompletionResult]::new('--proxy-url', '--proxy-url', [CompletionResultType]::ParameterName, 'Go through this proxy: http, https or socks5')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Use this bearer token; others on this machine can see it among the processes')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'Use the certificate in this file to log in')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Use the key in this file to log in')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Use this name for basic authentication')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Use this password for basic authentication; others on this machine can see it')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group, with --as; may be repeated')
            [CompletionResult]::new('--as-uid', '--as-uid', [CompletionResultType]::ParameterName, 'Act with this uid, with --as')
            [CompletionResult]::new('--as-user-extra', '--as-user-extra', [CompletionResultType]::ParameterName, 'Act with this attribute, with --as: NAME=VALUE; may be repeated')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--warnings-as-errors', '--warnings-as-errors', [CompletionResultType]::ParameterName, 'Fail, after all is done, if the server has sent a warning')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is cached')
            [CompletionResult]::new('--disable-compression', '--disable-compression', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is compressed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--https', '--https', [CompletionResultType]::ParameterName, 'Use the HTTPS port')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Print every address, best first, as a table')
            [CompletionResult]::new('--probe', '--probe', [CompletionResultType]::ParameterName, 'Connect to each address, and print only one that answers')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until a pending load balancer has an address')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-kubia;deploy' {
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Serve this host; `*` takes every request that no other host claims [default: as it is, else `*`]')
            [CompletionResult]::new('--image', '--image', [CompletionResultType]::ParameterName, 'Run other images, which listen on 8080: v1=IMAGE,v2=IMAGE')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Run this many pods: v1=3,v2=1')
            [CompletionResult]::new('--v2', '--v2', [CompletionResultType]::ParameterName, 'Send this share of requests to v2, in percent [default: as it is, else 50]')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait until the pods are ready before the route is written')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting for the pods after this time')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be written: `client` asks no server to check it, `server` does')
            [CompletionResult]::new('--gateway-namespace', '--gateway-namespace', [CompletionResultType]::ParameterName, 'Take the ingress gateway from this namespace instead of looking in the usual ones')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'Take the ingress gateway behind this Service')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Take the ingress gateway whose pods have these labels: `istio=ingress`')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Take the ingress gateway whose pods have these labels: `istio=ingress`')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Read only this kubeconfig file')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Use this kubeconfig context')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Use this cluster of the kubeconfig')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Use this user of the kubeconfig')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--certificate-authority', '--certificate-authority', [CompletionResultType]::ParameterName, 'Trust the certificate authority in this file')
            [CompletionResult]::new('--insecure-skip-tls-verify', '--insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Accept any certificate of the server, which makes the connection insecure')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect the server''s certificate to be for this name')
            [CompletionResult]::new('--proxy-url', '--proxy-url', [CompletionResultType]::ParameterName, 'Go through this proxy: http, https or socks5')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Use this bearer token; others on this machine can see it among the processes')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'Use the certificate in this file to log in')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Use the key in this file to log in')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Use this name for basic authentication')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Use this password for basic authentication; others on this machine can see it')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group, with --as; may be repeated')
            [CompletionResult]::new('--as-uid', '--as-uid', [CompletionResultType]::ParameterName, 'Act with this uid, with --as')
            [CompletionResult]::new('--as-user-extra', '--as-user-extra', [CompletionResultType]::ParameterName, 'Act with this attribute, with --as: NAME=VALUE; may be repeated')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--warnings-as-errors', '--warnings-as-errors', [CompletionResultType]::ParameterName, 'Fail, after all is done, if the server has sent a warning')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is cached')
            [CompletionResult]::new('--disable-compression', '--disable-compression', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is compressed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--force-conflicts', '--force-conflicts', [CompletionResultType]::ParameterName, 'Take over fields that other field managers own')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-kubia;shift' {
            [CompletionResult]::new('--v1', '--v1', [CompletionResultType]::ParameterName, 'Send this share of requests to v1, in percent')
            [CompletionResult]::new('--v2', '--v2', [CompletionResultType]::ParameterName, 'Send this share of requests to v2, in percent')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be written: `client` asks no server to check it, `server` does')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Read only this kubeconfig file')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Use this kubeconfig context')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Use this cluster of the kubeconfig')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Use this user of the kubeconfig')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--certificate-authority', '--certificate-authority', [CompletionResultType]::ParameterName, 'Trust the certificate authority in this file')
            [CompletionResult]::new('--insecure-skip-tls-verify', '--insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Accept any certificate of the server, which makes the connection insecure')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect the server''s certificate to be for this name')
            [CompletionResult]::new('--proxy-url', '--proxy-url', [CompletionResultType]::ParameterName, 'Go through this proxy: http, https or socks5')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Use this bearer token; others on this machine can see it among the processes')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'Use the certificate in this file to log in')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Use the key in this file to log in')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Use this name for basic authentication')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Use this password for basic authentication; others on this machine can see it')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group, with --as; may be repeated')
            [CompletionResult]::new('--as-uid', '--as-uid', [CompletionResultType]::ParameterName, 'Act with this uid, with --as')
            [CompletionResult]::new('--as-user-extra', '--as-user-extra', [CompletionResultType]::ParameterName, 'Act with this attribute, with --as: NAME=VALUE; may be repeated')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--warnings-as-errors', '--warnings-as-errors', [CompletionResultType]::ParameterName, 'Fail, after all is done, if the server has sent a warning')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is cached')
            [CompletionResult]::new('--disable-compression', '--disable-compression', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is compressed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-kubia;status' {
            [CompletionResult]::new('--gateway-namespace', '--gateway-namespace', [CompletionResultType]::ParameterName, 'Take the ingress gateway from this namespace instead of looking in the usual ones')
            [CompletionResult]::new('--service', '--service', [CompletionResultType]::ParameterName, 'Take the ingress gateway behind this Service')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Take the ingress gateway whose pods have these labels: `istio=ingress`')
            [CompletionResult]::new('--selector', '--selector', [CompletionResultType]::ParameterName, 'Take the ingress gateway whose pods have these labels: `istio=ingress`')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Read only this kubeconfig file')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Use this kubeconfig context')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Use this cluster of the kubeconfig')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Use this user of the kubeconfig')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--certificate-authority', '--certificate-authority', [CompletionResultType]::ParameterName, 'Trust the certificate authority in this file')
            [CompletionResult]::new('--insecure-skip-tls-verify', '--insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Accept any certificate of the server, which makes the connection insecure')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect the server''s certificate to be for this name')
            [CompletionResult]::new('--proxy-url', '--proxy-url', [CompletionResultType]::ParameterName, 'Go through this proxy: http, https or socks5')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Use this bearer token; others on this machine can see it among the processes')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'Use the certificate in this file to log in')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Use the key in this file to log in')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Use this name for basic authentication')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Use this password for basic authentication; others on this machine can see it')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group, with --as; may be repeated')
            [CompletionResult]::new('--as-uid', '--as-uid', [CompletionResultType]::ParameterName, 'Act with this uid, with --as')
            [CompletionResult]::new('--as-user-extra', '--as-user-extra', [CompletionResultType]::ParameterName, 'Act with this attribute, with --as: NAME=VALUE; may be repeated')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--warnings-as-errors', '--warnings-as-errors', [CompletionResultType]::ParameterName, 'Fail, after all is done, if the server has sent a warning')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is cached')
            [CompletionResult]::new('--disable-compression', '--disable-compression', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is compressed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-kubia;completion' {
            [CompletionResult]::new('--install', '--install', [CompletionResultType]::ParameterName, 'Write kubectl_complete-kubia into this directory, or ~/.local/bin')
            [CompletionResult]::new('--uninstall', '--uninstall', [CompletionResultType]::ParameterName, 'Remove it from this directory, or ~/.local/bin')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'Read only this kubeconfig file')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'Use this kubeconfig context')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Act in this namespace instead of the context''s')
            [CompletionResult]::new('--request-timeout', '--request-timeout', [CompletionResultType]::ParameterName, 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Use this cluster of the kubeconfig')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Use this user of the kubeconfig')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this API server')
            [CompletionResult]::new('--certificate-authority', '--certificate-authority', [CompletionResultType]::ParameterName, 'Trust the certificate authority in this file')
            [CompletionResult]::new('--insecure-skip-tls-verify', '--insecure-skip-tls-verify', [CompletionResultType]::ParameterName, 'Accept any certificate of the server, which makes the connection insecure')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect the server''s certificate to be for this name')
            [CompletionResult]::new('--proxy-url', '--proxy-url', [CompletionResultType]::ParameterName, 'Go through this proxy: http, https or socks5')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Use this bearer token; others on this machine can see it among the processes')
            [CompletionResult]::new('--client-certificate', '--client-certificate', [CompletionResultType]::ParameterName, 'Use the certificate in this file to log in')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Use the key in this file to log in')
            [CompletionResult]::new('--username', '--username', [CompletionResultType]::ParameterName, 'Use this name for basic authentication')
            [CompletionResult]::new('--password', '--password', [CompletionResultType]::ParameterName, 'Use this password for basic authentication; others on this machine can see it')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Act as this user')
            [CompletionResult]::new('--as-group', '--as-group', [CompletionResultType]::ParameterName, 'Act as a member of this group, with --as; may be repeated')
            [CompletionResult]::new('--as-uid', '--as-uid', [CompletionResultType]::ParameterName, 'Act with this uid, with --as')
            [CompletionResult]::new('--as-user-extra', '--as-user-extra', [CompletionResultType]::ParameterName, 'Act with this attribute, with --as: NAME=VALUE; may be repeated')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--v', '--v', [CompletionResultType]::ParameterName, 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too')
            [CompletionResult]::new('--warnings-as-errors', '--warnings-as-errors', [CompletionResultType]::ParameterName, 'Fail, after all is done, if the server has sent a warning')
            [CompletionResult]::new('--cache-dir', '--cache-dir', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is cached')
            [CompletionResult]::new('--disable-compression', '--disable-compression', [CompletionResultType]::ParameterName, 'Accepted as in kubectl; nothing is compressed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Print in this format')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'kubectl-kubia;help' {
            [CompletionResult]::new('gateway-url', 'gateway-url', [CompletionResultType]::ParameterValue, 'Print host:port of the ingress gateway')
            [CompletionResult]::new('deploy', 'deploy', [CompletionResultType]::ParameterValue, 'Deploy the tutorial''s app: two versions behind the ingress gateway')
            [CompletionResult]::new('shift', 'shift', [CompletionResultType]::ParameterValue, 'Set the share of requests that goes to a version')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show the way of a request: gateway, route, versions, pods')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Complete command lines: scripts for shells, and kubectl''s own completion')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'kubectl-kubia;help;gateway-url' {
            break
        }
        'kubectl-kubia;help;deploy' {
            break
        }
        'kubectl-kubia;help;shift' {
            break
        }
        'kubectl-kubia;help;status' {
            break
        }
        'kubectl-kubia;help;completion' {
            break
        }
        'kubectl-kubia;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
