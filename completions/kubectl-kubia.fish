# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_kubectl_kubia_global_optspecs
    string join \n kubeconfig= context= n/namespace= request-timeout= o/output= h/help V/version
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
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s h -l help -d 'Print help'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -s V -l version -d 'Print version'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "gateway-url" -d 'Print host:port of the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "deploy" -d 'Deploy the tutorial\'s app: two versions behind the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_needs_command" -f -a "shift" -d 'Set the share of requests that goes to a version'
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
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand gateway-url" -s h -l help -d 'Print help'
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
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -l force-conflicts -d 'Take over fields that other field managers own'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand deploy" -s h -l help -d 'Print help'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l v1 -d 'Send this share of requests to v1, in percent' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l v2 -d 'Send this share of requests to v2, in percent' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l dry-run -d 'Only show what would be written: `client` asks no server to check it, `server` does' -r -f -a "none\t''
client\t''
server\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand shift" -s h -l help -d 'Print help'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l gateway-namespace -d 'Take the ingress gateway from this namespace instead of looking in the usual ones' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l service -d 'Take the ingress gateway behind this Service' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s l -l selector -d 'Take the ingress gateway whose pods have these labels: `istio=ingress`' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand status" -s h -l help -d 'Print help'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l install -d 'Write kubectl_complete-kubia into this directory, or ~/.local/bin' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l uninstall -d 'Remove it from this directory, or ~/.local/bin' -r -f -a "(__fish_complete_directories)"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l kubeconfig -d 'Read only this kubeconfig file' -r -F
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l context -d 'Use this kubeconfig context' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s n -l namespace -d 'Act in this namespace instead of the context\'s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -l request-timeout -d 'Give up on one request after this time: `30s`, `1m`, or seconds; 0 means 30s' -r
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s o -l output -d 'Print in this format' -r -f -a "text\t''
wide\t''
json\t''
yaml\t''
name\t''
url\t''
env\t''
curl\t''"
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand completion" -s h -l help -d 'Print help'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift status completion help" -f -a "gateway-url" -d 'Print host:port of the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift status completion help" -f -a "deploy" -d 'Deploy the tutorial\'s app: two versions behind the ingress gateway'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift status completion help" -f -a "shift" -d 'Set the share of requests that goes to a version'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift status completion help" -f -a "status" -d 'Show the way of a request: gateway, route, versions, pods'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift status completion help" -f -a "completion" -d 'Complete command lines: scripts for shells, and kubectl\'s own completion'
complete -c kubectl-kubia -n "__fish_kubectl_kubia_using_subcommand help; and not __fish_seen_subcommand_from gateway-url deploy shift status completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
