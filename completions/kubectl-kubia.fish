# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kubectl_kubia_global_optspecs
    string join \n kubeconfig= context= n/namespace= request-timeout= cluster= user= s/server= certificate-authority= insecure-skip-tls-verify= tls-server-name= proxy-url= token= client-certificate= client-key= username= password= as= as-group= as-uid= as-user-extra= v/v= warnings-as-errors= cache-dir= disable-compression= o/output= h/help V/version
end

function __fish_kubectl_kubia_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_kubectl_kubia_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_kubectl_kubia_using_subcommand
    set -l cmd (__fish_kubectl_kubia_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s V -l version -d 'Print version'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "gateway-url" -d 'Print host:port of the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "deploy" -d 'Deploy the tutorial\'s app: two versions behind the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "shift" -d 'Set the share of requests that goes to a version'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "undo" -d 'Take back the last change of weights, or return to a recorded one'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "history" -d 'Show who changed the weights of a VirtualService, when, and why'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "status" -d 'Show the way of a request: gateway, route, versions, pods'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "completion" -d 'Complete command lines: scripts for shells, and kubectl\'s own completion'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l gateway-namespace -d 'Take the ingress gateway from this namespace instead of looking in the usual ones' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l service -d 'Take the ingress gateway behind this Service' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -s l -l selector -d 'Take the ingress gateway whose pods have these labels: `istio=ingress`' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l port -d 'Use the port of this name or number' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l source -d 'Use only this source of addresses' -r -f -a "any\t''
load-balancer\t''
external-ip\t''
gateway-address\t''
node-port\t''
host-port\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l timeout -d 'Give up waiting after this time' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l https -d 'Use the HTTPS port'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l all -d 'Print every address, best first, as a table'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l probe -d 'Connect to each address, and print only one that answers'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -l wait -d 'Wait until a pending load balancer has an address'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l host -d 'Serve this host; `*` takes every request that no other host claims [default: as it is, else `*`]' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l image -d 'Run other images, which listen on 8080: v1=IMAGE,v2=IMAGE' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l replicas -d 'Run this many pods: v1=3,v2=1' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l v2 -d 'Send this share of requests to v2, in percent [default: as it is, else 50]' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l wait -d 'Wait until the pods are ready before the route is written' -r -f -a "true\t''
false\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l timeout -d 'Give up waiting for the pods after this time' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l dry-run -d 'Only show what would be written: `client` asks no server to check it, `server` does' -r -f -a "none\t''
client\t''
server\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l gateway-namespace -d 'Take the ingress gateway from this namespace instead of looking in the usual ones' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l service -d 'Take the ingress gateway behind this Service' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s l -l selector -d 'Take the ingress gateway whose pods have these labels: `istio=ingress`' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l force-conflicts -d 'Take over fields that other field managers own'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l v1 -d 'Send this share of requests to v1, in percent' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l v2 -d 'Send this share of requests to v2, in percent' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l from -d 'Only if the versions have these shares now' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l route -d 'The route: its name, its place (`#0`, `tls#0`, `tcp#0`), or `all` that have the versions' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l reason -d 'Record why, for `history`' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l allow -d 'Go on although this speaks against it; a refusal says its word' -r -f -a "missing\t''
no-endpoints\t''
shadowed\t''
managed\t''
unrecorded\t''
edited\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l proof -d 'Prove that the gateway proxies run the weights: where that can be seen, or else fail' -r -f -a "auto\t''
require\t''
none\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l timeout -d 'Give up on the proof after this time' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l dry-run -d 'Only show what would be written: `client` asks no server to check it, `server` does' -r -f -a "none\t''
client\t''
server\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l to-revision -d 'Take back every change after this revision, 0 for all; `kubectl kubia history` lists them' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l reason -d 'Record why, for `history`' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l allow -d 'Go on although this speaks against it; a refusal says its word' -r -f -a "missing\t''
no-endpoints\t''
shadowed\t''
managed\t''
unrecorded\t''
edited\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l proof -d 'Prove that the gateway proxies run the weights: where that can be seen, or else fail' -r -f -a "auto\t''
require\t''
none\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l timeout -d 'Give up on the proof after this time' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l dry-run -d 'Only show what would be written: `client` asks no server to check it, `server` does' -r -f -a "none\t''
client\t''
server\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l gateway-namespace -d 'Take the ingress gateway from this namespace instead of looking in the usual ones' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l service -d 'Take the ingress gateway behind this Service' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s l -l selector -d 'Take the ingress gateway whose pods have these labels: `istio=ingress`' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s A -l all-namespaces -d 'Show every weighted route of all namespaces'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l no-headers -d 'Print no line with the names of columns'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l install -d 'Write kubectl_complete-kubia into this directory, or ~/.local/bin' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l uninstall -d 'Remove it from this directory, or ~/.local/bin' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l cluster -d 'Use this cluster of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l user -d 'Use this user of the kubeconfig' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s s -l server -d 'Talk to this API server' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l certificate-authority -d 'Trust the certificate authority in this file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l insecure-skip-tls-verify -d 'Accept any certificate of the server, which makes the connection insecure' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l tls-server-name -d 'Expect the server\'s certificate to be for this name' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l proxy-url -d 'Go through this proxy: http, https or socks5' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l token -d 'Use this bearer token; others on this machine can see it among the processes' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l client-certificate -d 'Use the certificate in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l client-key -d 'Use the key in this file to log in' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l username -d 'Use this name for basic authentication' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l password -d 'Use this password for basic authentication; others on this machine can see it' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l as -d 'Act as this user' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l as-group -d 'Act as a member of this group, with --as; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l as-uid -d 'Act with this uid, with --as' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l as-user-extra -d 'Act with this attribute, with --as: NAME=VALUE; may be repeated' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s v -l v -d 'Log requests to stderr: 6 each with its answer, 7 headers too, 8 bodies too' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l warnings-as-errors -d 'Fail, after all is done, if the server has sent a warning' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l cache-dir -d 'Accepted as in kubectl; nothing is cached' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l disable-compression -d 'Accepted as in kubectl; nothing is compressed' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "gateway-url" -d 'Print host:port of the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "deploy" -d 'Deploy the tutorial\'s app: two versions behind the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "shift" -d 'Set the share of requests that goes to a version'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "undo" -d 'Take back the last change of weights, or return to a recorded one'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "history" -d 'Show who changed the weights of a VirtualService, when, and why'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "status" -d 'Show the way of a request: gateway, route, versions, pods'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "completion" -d 'Complete command lines: scripts for shells, and kubectl\'s own completion'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift undo history status completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
