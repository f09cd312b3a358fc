"""What a person types, as a table: one case a namespace, one command a line.

A line is compared as it is. `- ` prepares: it must succeed in both worlds, what it says does not
matter. `% ` compares the lines of the answer in alphabetical order.
"""

from __future__ import annotations

from collections.abc import Mapping

READING: Mapping[str, str] = {
    "get in its forms": """
        - kubectl apply -f web.yaml -f service.yaml
        - kubectl rollout status deploy/web --timeout=30s
        kubectl get deploy
        kubectl get deploy,svc
        kubectl get deploy web -o wide
        kubectl get deploy/web svc/web
        kubectl get svc -o wide
        kubectl get rs
        kubectl get rs -o wide
        kubectl get pods
        % kubectl get pods -o wide
        kubectl get pods --show-labels
        kubectl get pods -L app,tier
        kubectl get pods --no-headers
        kubectl get all
        kubectl get endpoints
        kubectl get endpointslices
        kubectl get deploy web -o yaml
        kubectl get deploy web -o json --show-managed-fields
        kubectl get svc web -o yaml
        kubectl get rs -o yaml
        kubectl get -f web.yaml
        kubectl get deploy nope
        kubectl get deploy web nope
        kubectl get deploy --ignore-not-found nope
        kubectl get jobs
        kubectl get jobs,cm -l none=such
        kubectl get nope
        kubectl get nope.example.com
        kubectl get deploy.v1.apps
        kubectl get deployments.v1.apps/web
        kubectl get --raw /api/v1/namespaces/nope
    """,
    "get by selectors, sorted and in chunks": """
        - kubectl apply -f maps.yaml
        kubectl get cm -l set=maps
        kubectl get cm -l 'tier in (front, back)'
        kubectl get cm -l 'set=maps,tier!=front' -o name
        kubectl get cm -l 'set,!tier'
        kubectl get cm -l 'a in'
        kubectl get cm -l 'a=b=c'
        kubectl get cm --field-selector metadata.name=two
        kubectl get cm --field-selector metadata.name!=two,metadata.name!=kube-root-ca.crt -o name
        kubectl get cm --field-selector data.colour=red
        kubectl get pods --field-selector status.phase=Running,spec.nodeName=nope
        kubectl get cm -l set=maps --sort-by=.data.colour -o name
        kubectl get cm -l set=maps --sort-by=.data.colour
        kubectl get cm -l set=maps --sort-by=.metadata.name --no-headers
        kubectl get cm -l set=maps --sort-by=.nope
        kubectl get cm -l set=maps --chunk-size=1
        kubectl get cm -l set=maps --chunk-size=2 -o name
        kubectl get cm one two -o name
        kubectl get cm one two -o custom-columns=NAME:.metadata.name,COLOUR:.data.colour,X:.data.x
        kubectl get cm -l set=maps -o jsonpath='{range .items[*]}{.metadata.name}={.data.colour};{end}'
        kubectl get cm one -o jsonpath='{.data}'
        kubectl get cm one -o jsonpath='{.nope}'
        kubectl get cm one -o go-template='{{.data.colour}}'
        kubectl get cm one -o yaml
        kubectl get cm one -o json
        kubectl get cm -l set=maps -o yaml
        kubectl get cm -l set=none -o json
        kubectl get cm one -o nope
        kubectl get cm one --output-watch-events
        kubectl get cm one --subresource=status
        kubectl get deploy --subresource=nope web
    """,
    "get over all namespaces and of the cluster": """
        - kubectl apply -f web.yaml
        - kubectl rollout status deploy/web --timeout=30s
        kubectl get deploy -A -l app=web --field-selector metadata.namespace=get-over-all-namespaces-and-of-the-cluster
        kubectl get ns default kube-system kube-public kube-node-lease
        kubectl get ns default -o yaml
        kubectl get nodes
        kubectl get nodes -o name
        kubectl get priorityclasses
        kubectl get sa
        kubectl get sa default -o yaml
        kubectl get cm
        kubectl get svc kubernetes -n default
        kubectl get endpointslices -n default
        kubectl get sc,pv,pvc,ingressclass
        kubectl get clusterrole view -o name
        kubectl get clusterrole,clusterrolebinding -o name
        kubectl get leases -A -o name --field-selector metadata.name=nope
        kubectl get crd -o name --field-selector metadata.name=nope
        kubectl get cs
        kubectl get apiservices v1. v1.apps
        kubectl get flowschemas -o name
        kubectl get csr,vwc,mwc -o name
        kubectl get quota,limits,pdb,hpa,netpol,ing,cj,rc,podtemplates
    """,
    "watch": """
        - kubectl apply -f settings.yaml
        (sleep 1; kubectl label cm settings watched=yes; kubectl delete cm settings) >/dev/null & timeout 8 kubectl get cm settings -w --request-timeout=4s; wait
        - kubectl apply -f settings.yaml
        (sleep 1; kubectl label cm settings watched=yes) >/dev/null & timeout 8 kubectl get cm -l app=shop -w -o name --output-watch-events --request-timeout=4s; wait
        (sleep 1; kubectl annotate cm settings seen=yes) >/dev/null & timeout 8 kubectl get cm settings --watch-only -o jsonpath='{.metadata.annotations.seen}{"\\n"}' --request-timeout=4s; wait
    """,
    "api-resources, versions and discovery": """
        kubectl api-resources --api-group=apps
        kubectl api-resources --api-group=apps -o wide
        kubectl api-resources --api-group= -o wide
        kubectl api-resources --namespaced=false --api-group=rbac.authorization.k8s.io -o name
        kubectl api-resources --verbs=list,watch --api-group=batch
        kubectl api-resources --categories=all --sort-by=name
        kubectl api-resources --api-group=authorization.k8s.io
        kubectl api-resources --api-group=policy -o wide
        kubectl api-resources --api-group=networking.k8s.io -o wide
        kubectl api-resources --api-group=nope
        kubectl api-versions | grep -v kruise | grep -v onepersoncompany
        kubectl api-resources -o name --sort-by=name
    """,
    "explain": """
        kubectl explain deployment
        kubectl explain deploy.spec.strategy
        kubectl explain pods.spec.containers.ports
        kubectl explain service.spec.type
        kubectl explain cm --recursive
        kubectl explain deployments.spec.strategy --recursive
        kubectl explain hpa --api-version=autoscaling/v1
        kubectl explain hpa.spec.metrics
        kubectl explain deployment.nope
        kubectl explain nope
        kubectl explain
        kubectl explain deployment.metadata.labels
        kubectl explain crd.spec.versions.schema
        kubectl explain job.spec.template.spec.volumes --recursive
    """,
    "who may do what": """
        kubectl auth can-i create deployments
        kubectl auth can-i get pods --subresource=log
        kubectl auth can-i '*' '*'
        kubectl auth can-i get /readyz
        kubectl auth can-i nope nopes
        kubectl auth can-i create pods --as=somebody
        kubectl auth can-i create pods --as=somebody -q
        kubectl auth whoami -o jsonpath='{.status.userInfo.groups}'
        kubectl get pods --as=somebody
        kubectl get pods -A --as=somebody
        kubectl get nodes --as=somebody --as-group=others
        kubectl create cm x --as=somebody
        kubectl delete pod x --as=somebody
        - kubectl create role reader --verb=get,list,watch --resource=pods,deployments.apps,pods/log
        - kubectl create rolebinding somebody-reads --role=reader --user=somebody
        - kubectl create serviceaccount robot
        - kubectl create rolebinding robot-views --clusterrole=view --serviceaccount=who-may-do-what:robot
        kubectl get pods --as=somebody
        kubectl get cm --as=somebody
        kubectl get cm --as=system:serviceaccount:who-may-do-what:robot -o name
        kubectl get secrets --as=system:serviceaccount:who-may-do-what:robot
        kubectl auth can-i list deployments.apps --as=somebody
        kubectl auth can-i list deployments.apps --as=somebody -n default
        % kubectl auth can-i --list --as=somebody
        kubectl describe role reader
        kubectl describe rolebinding somebody-reads
        kubectl get role,rolebinding
        kubectl get rolebinding -o wide
        kubectl auth can-i get pods --as=system:serviceaccount:who-may-do-what:robot
        kubectl auth reconcile -f settings.yaml
    """,
}

WRITING: Mapping[str, str] = {
    "create of many kinds": """
        kubectl create deployment made --image=registry.example/made:1 --replicas=0 --port=80
        kubectl create configmap plain --from-literal=a=1 --from-literal=b=two
        kubectl create configmap from-file --from-file=settings.yaml
        kubectl create secret generic hidden --from-literal=password=x
        kubectl create secret docker-registry pull --docker-username=u --docker-password=p --docker-server=registry.example
        kubectl create job once --image=registry.example/once:1 -- sh -c true
        kubectl create cronjob nightly --image=registry.example/once:1 --schedule='0 3 * * *'
        kubectl create job now --from=cronjob/nightly
        kubectl create service clusterip inner --tcp=80:8080
        kubectl create service nodeport outer --tcp=80:8080
        kubectl create service externalname away --external-name=example.com
        kubectl create ingress door --rule='shop.example/*=inner:80'
        kubectl create serviceaccount robot
        kubectl create role reads --verb=get --resource=pods
        kubectl create rolebinding reads --role=reads --serviceaccount=create-of-many-kinds:robot
        kubectl create clusterrole judged-reads --verb=get --resource=pods
        kubectl create clusterrolebinding judged-reads --clusterrole=judged-reads --user=u
        - kubectl delete clusterrole,clusterrolebinding judged-reads
        kubectl create quota some --hard=pods=20
        kubectl create poddisruptionbudget careful --selector=app=made --min-available=1
        kubectl create priorityclass judged-urgent --value=7
        - kubectl delete priorityclass judged-urgent
        kubectl create token robot --duration=10m | wc -l
        kubectl create namespace create-of-many-kinds
        kubectl create -f pod.yaml --dry-run=server -o yaml
        kubectl create -f pod.yaml --dry-run=client -o name
        kubectl create -f pod.yaml -o jsonpath='{.metadata.name}{"\\n"}'
        kubectl create -f pod.yaml
        kubectl run alone --image=registry.example/alone:1 --labels=a=b
        kubectl run alone --image=registry.example/alone:1
        kubectl get deploy,svc,cj,ing,pdb,quota,role,rolebinding,sa
        kubectl get svc outer -o yaml
        kubectl get svc away -o yaml
        kubectl get secret hidden pull -o yaml
        kubectl get cj nightly -o yaml
        kubectl get ing door -o yaml
        kubectl get pdb careful -o yaml
        kubectl get cm plain -o yaml
        - kubectl wait --for=condition=complete job/once job/now --timeout=30s
        kubectl get job once
        kubectl get job once -o wide
        kubectl get job once -o yaml
    """,
    "apply from the client": """
        kubectl apply -f settings.yaml
        kubectl apply -f settings.yaml
        kubectl apply -f settings-large.yaml
        kubectl get cm settings -o yaml
        kubectl apply view-last-applied cm settings
        kubectl apply -f settings.yaml --dry-run=server
        kubectl apply -f settings.yaml --dry-run=client
        kubectl apply -f settings.yaml --dry-run=server -o yaml
        kubectl apply -f maps.yaml -f service.yaml
        kubectl create cm bare --from-literal=a=1
        kubectl create cm bare --from-literal=a=2 --dry-run=client -o yaml | kubectl apply -f -
        kubectl create cm bare --from-literal=b=2 --dry-run=client -o yaml | kubectl apply -f - -o name
        kubectl get cm bare -o yaml
        kubectl apply -f nope.yaml
        kubectl apply -f bad.yaml
        kubectl apply -f typo.yaml
        kubectl apply -f typo.yaml --validate=warn
        kubectl apply -f typo.yaml --validate=ignore
        kubectl apply -f wrong-type.yaml
        kubectl apply -f no-name.yaml
        kubectl apply -f no-kind.yaml
        kubectl apply -f unknown-kind.yaml
        kubectl apply -f settings.yaml -n default
        kubectl apply -f settings.yaml -n no-such-namespace
        kubectl apply -f elsewhere.yaml -n apply-from-the-client
        kubectl apply edit-last-applied cm settings
        kubectl apply set-last-applied -f settings.yaml
        kubectl apply -f maps.yaml --prune -l set=maps --prune-allowlist=core/v1/ConfigMap
        head -n 5 maps.yaml | kubectl apply -f - --prune -l set=maps --prune-allowlist=core/v1/ConfigMap
        kubectl get cm -l set=maps -o name
    """,
    "apply on the server": """
        kubectl apply --server-side -f settings.yaml
        kubectl apply --server-side -f settings.yaml
        kubectl apply --server-side -f settings-large.yaml --field-manager=other
        kubectl apply --server-side -f settings-large.yaml --field-manager=other --force-conflicts
        kubectl get cm settings -o yaml --show-managed-fields
        kubectl apply --server-side -f settings.yaml --dry-run=server
        kubectl apply --server-side -f web.yaml
        kubectl scale deploy web --replicas=1
        kubectl apply --server-side -f web.yaml
        kubectl apply --server-side -f typo.yaml
        kubectl apply --server-side -f wrong-type.yaml
        kubectl apply --server-side -f no-name.yaml
        kubectl create cm moved --from-literal=a=1
        kubectl create cm moved --from-literal=a=2 --dry-run=client -o yaml | kubectl apply --server-side -f -
        kubectl apply -f settings.yaml
        kubectl apply --server-side -f settings.yaml -o yaml --show-managed-fields
        kubectl apply --server-side --dry-run=client -f settings.yaml
    """,
    "diff": """
        kubectl diff -f settings.yaml
        - kubectl apply -f settings.yaml -f web.yaml
        kubectl diff -f settings.yaml
        kubectl diff -f settings-large.yaml
        kubectl diff --server-side -f settings-large.yaml
        kubectl diff --server-side --force-conflicts -f settings-large.yaml
        sed 's/replicas: 2/replicas: 3/; s/web:1/web:2/' web.yaml | kubectl diff -f -
        kubectl diff -f typo.yaml
    """,
    "replace": """
        kubectl replace -f settings.yaml
        - kubectl create -f settings.yaml
        kubectl replace -f settings-large.yaml
        kubectl get cm settings -o yaml
        kubectl replace -f settings.yaml --dry-run=server -o name
        kubectl get cm settings -o yaml | sed 's/resourceVersion:.*/resourceVersion: "1"/' | kubectl replace -f -
        - kubectl create -f pod.yaml
        sed 's/lone:1/lone:2/' pod.yaml | kubectl replace -f -
        sed 's/containers:/nodeSelector: {a: b}\\n  containers:/' pod.yaml | kubectl replace -f - 2>&1 | head -n 2
        kubectl replace --force -f pod.yaml
        kubectl replace --raw /api/v1/namespaces/replace/configmaps/settings -f settings.json | head -c 40
        kubectl get cm settings -o jsonpath='{.data}'
    """,
    "patch of three kinds": """
        - kubectl create -f web.yaml -f settings.yaml
        kubectl patch deploy web -p '{"spec":{"replicas":1}}'
        kubectl patch deploy web -p '{"spec":{"replicas":1}}'
        kubectl patch deploy web --type=merge -p '{"metadata":{"labels":{"tier":null,"new":"yes"}}}'
        kubectl patch deploy web --type=json -p '[{"op":"replace","path":"/spec/replicas","value":0}]'
        kubectl patch deploy web --type=json -p '[{"op":"remove","path":"/spec/nope"}]'
        kubectl patch deploy web --type=json -p '[{"op":"test","path":"/spec/replicas","value":9}]'
        kubectl patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"SIZE","value":"3"}]}]}}}}'
        kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].env}'
        kubectl patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"$patch":"delete","name":"web"}]}}}}'
        kubectl patch deploy web -p '{"spec":{"replicas":"many"}}'
        kubectl patch deploy web -p '{"spec":{"nope":1}}'
        kubectl patch deploy web -p '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'
        kubectl patch deploy web -p '{"spec"'
        kubectl patch deploy web --type=nope -p '{}'
        kubectl patch deploy nope -p '{}'
        kubectl patch deploy web --subresource=scale --type=merge -p '{"spec":{"replicas":1}}'
        kubectl patch deploy web --subresource=status --type=merge -p '{"status":{"collisionCount":3}}'
        kubectl get deploy web --subresource=scale
        kubectl get deploy web --subresource=status -o jsonpath='{.status.collisionCount}'
        kubectl patch cm settings -p '{"data":{"colour":null}}' -o yaml
        kubectl patch cm settings -p '{"metadata":{"name":"other"}}'
        kubectl patch -f settings.yaml -p '{"data":{"x":"y"}}' --dry-run=server -o jsonpath='{.data}'
        kubectl patch cm settings --subresource=nope -p '{}'
    """,
    "label and annotate": """
        - kubectl create -f maps.yaml
        kubectl label cm one size=3
        kubectl label cm one tier=back
        kubectl label cm one tier=back --overwrite
        kubectl label cm one tier=back --overwrite
        kubectl label cm one size-
        kubectl label cm one nope-
        kubectl label cm one 'bad key=x'
        kubectl label cm one key='bad value'
        kubectl label cm -l set=maps all=yes
        % kubectl label cm one --list
        kubectl label cm nope a=b
        kubectl annotate cm one note='it is mine' other=x
        kubectl annotate cm one note=again
        kubectl annotate cm one note=again --overwrite
        kubectl annotate cm one other-
        % kubectl annotate cm one --list
        kubectl annotate cm --all seen=yes
        kubectl label cm one dry=run --dry-run=server -o name
        kubectl get cm one two three -o custom-columns=N:.metadata.name,L:.metadata.labels,A:.metadata.annotations
        kubectl label ns label-and-annotate kubernetes.io/metadata.name=other --overwrite
    """,
    "delete": """
        - kubectl create -f maps.yaml
        kubectl delete cm one
        kubectl delete cm one
        kubectl delete cm one --ignore-not-found
        kubectl delete cm -l tier=back
        kubectl delete -f maps.yaml
        - kubectl create -f maps.yaml
        kubectl delete cm one two three --dry-run=server
        kubectl delete cm one two three --dry-run=client
        kubectl delete cm --all --field-selector metadata.name!=kube-root-ca.crt
        kubectl delete cm
        kubectl delete cm one -l a=b
        - kubectl create -f web.yaml
        - kubectl rollout status deploy/web --timeout=30s
        kubectl delete deploy web --cascade=orphan
        kubectl get rs -l app=web --no-headers | wc -l
        kubectl delete rs -l app=web --cascade=foreground | sed 's/web-[^"]*"/web-x"/'
        kubectl wait --for=delete pod -l app=web --timeout=20s
        kubectl get pods
        - kubectl create -f pod.yaml
        - kubectl wait --for=condition=ready pod lone --timeout=20s
        kubectl delete pod lone --now
        - kubectl create -f pod.yaml
        kubectl delete pod lone --grace-period=0 --force
        kubectl delete pod lone --grace-period=0
        - kubectl create -f settings.yaml
        - kubectl patch cm settings -p '{"metadata":{"finalizers":["judge.example.com/held"]}}'
        kubectl delete cm settings --wait=false
        kubectl delete cm settings --timeout=1s
        kubectl get cm settings -o jsonpath='{.metadata.finalizers}{.metadata.deletionGracePeriodSeconds}'
        - kubectl patch cm settings --type=merge -p '{"metadata":{"finalizers":null}}'
        kubectl get cm settings
        kubectl delete ns default
        kubectl delete node nope
        kubectl delete nope nope
    """,
    "wrong input": """
        kubectl create -f bad.yaml
        kubectl create -f no-name.yaml
        kubectl create -f typo.yaml
        kubectl create -f wrong-type.yaml
        kubectl create cm Upper_Case
        kubectl create -f invalid-deployment.yaml
        kubectl create -f invalid-pod.yaml
        kubectl create -f invalid-service.yaml
        kubectl create -f invalid-job.yaml
        kubectl create -f invalid-hpa.yaml
        kubectl create -f invalid-ingress.yaml
        kubectl create -f invalid-crd.yaml
        kubectl create -f invalid-role.yaml
        - kubectl create -f web.yaml -f service.yaml
        sed 's/app: web}/app: webb}/' web.yaml | kubectl replace -f -
        kubectl patch svc web -p '{"spec":{"clusterIP":"10.0.0.99"}}' 2>&1 | sed 's/10[.0-9]*/IP/g'
        kubectl scale deploy web --replicas=-1
        kubectl scale deploy nope --replicas=1
        kubectl create secret generic s --type=kubernetes.io/tls --from-literal=a=b
        kubectl run x --image=
        kubectl get pods lone -n no-such-namespace
        kubectl create deployment x --image=i -n no-such-namespace
        kubectl get --raw /nope
        kubectl get --raw /apis/nope/v1
        kubectl get --raw /api/v1/nopes
        kubectl logs nope
        kubectl exec nope -- ls
        kubectl get pods --limit=3
        kubectl nope
        kubectl get cm --server=https://127.0.0.1:1 --request-timeout=2s 2>&1 | tail -n 1
        kubectl get cm --token=wrong --client-certificate= --client-key= 2>&1 | head -n 3
        kubectl edit cm nope
        kubectl apply
        kubectl create secret generic s --from-literal=a=b --dry-run=nope
    """,
    "kinds of one's own": """
        kubectl create -f widgets.yaml
        kubectl wait --for=condition=Established crd/widgets.judge.example.com --timeout=10s
        - for i in $(seq 50); do kubectl get --raw /apis/judge.example.com/v1/widgets && kubectl get --raw /openapi/v3/apis/judge.example.com/v1 | grep -q 'of some size' && exit 0; sleep 0.2; done; exit 1
        kubectl create -f widgets.yaml
        kubectl apply -f widget.yaml
        kubectl apply -f widget.yaml
        kubectl get wd
        kubectl get widgets -o wide
        kubectl get judged
        kubectl get widget w -o yaml
        sed 's/size: 3/size: 30/' widget.yaml | kubectl apply -f -
        sed 's/size: 3/size: big/' widget.yaml | kubectl apply -f -
        sed 's/size: 3/syze: 3/' widget.yaml | kubectl apply -f -
        sed 's/size: 3/size: 3, colour: green/' widget.yaml | kubectl apply -f -
        sed 's/spec: .*//' widget.yaml | sed 's/: w}/: v}/' | kubectl create -f -
        kubectl scale widget w --replicas=5
        kubectl get widget w --subresource=scale
        kubectl patch widget w --type=merge -p '{"spec":{"size":4}}'
        kubectl patch widget w -p '{"spec":{"size":4}}'
        kubectl patch widget w --type=merge --subresource=status -p '{"status":{"replicas":5},"spec":{"size":1}}'
        kubectl get widget w -o jsonpath='{.spec.size} {.status.replicas}'
        kubectl apply --server-side -f widget.yaml
        kubectl apply --server-side --force-conflicts -f widget.yaml
        kubectl explain widget
        kubectl explain widget.spec
        kubectl explain widget --recursive
        kubectl api-resources --api-group=judge.example.com
        kubectl describe widget w
        kubectl wait widget w --for=jsonpath='{.spec.size}'=3 --timeout=5s
        kubectl label widget w a=b
        kubectl edit widget w
        kubectl get crd widgets.judge.example.com
        kubectl get crd widgets.judge.example.com -o yaml
        kubectl delete widget --all
        kubectl delete crd widgets.judge.example.com
        kubectl get wd
    """,
}

WORKING: Mapping[str, str] = {
    "describe": """
        - kubectl apply -f web.yaml -f service.yaml -f settings.yaml -f stateful.yaml -f daemon.yaml -f pod.yaml
        - kubectl create secret generic hidden --from-literal=password=x
        - kubectl create job once --image=registry.example/once:1
        - kubectl create cronjob nightly --image=registry.example/once:1 --schedule='0 3 * * *'
        - kubectl create serviceaccount robot
        - kubectl create ingress door --rule='shop.example/*=web:80'
        - kubectl create quota some --hard=pods=20,configmaps=9
        - kubectl create pdb careful --selector=app=web --min-available=1
        - kubectl rollout status deploy/web --timeout=30s
        - kubectl rollout status sts/store --timeout=30s
        - kubectl rollout status ds/agent --timeout=30s
        - kubectl wait --for=condition=complete job/once --timeout=30s
        - kubectl wait --for=condition=ready pod/lone --timeout=30s
        kubectl describe deploy web
        kubectl describe rs -l app=web
        kubectl describe svc web
        kubectl describe cm settings
        kubectl describe secret hidden
        kubectl describe sts store
        kubectl describe ds agent
        kubectl describe job once
        kubectl describe cj nightly
        kubectl describe sa robot
        kubectl describe ingress door
        kubectl describe ns describe
        kubectl describe quota some
        kubectl describe pdb careful
        kubectl describe pod lone
        kubectl describe endpointslice -l kubernetes.io/service-name=web
        kubectl describe pod nope
        kubectl describe deploy -l app=nope
    """,
    "rollout": """
        - kubectl apply -f web.yaml
        kubectl rollout status deploy/web --timeout=30s | tail -n 1
        kubectl rollout history deploy/web
        kubectl set image deploy/web web=registry.example/web:2
        kubectl rollout status deploy/web --timeout=30s | tail -n 1
        kubectl annotate deploy/web kubernetes.io/change-cause='second'
        kubectl rollout history deploy/web
        kubectl rollout history deploy/web --revision=2
        kubectl rollout history deploy/web --revision=9
        kubectl rollout undo deploy/web
        kubectl rollout status deploy/web --timeout=30s | tail -n 1
        kubectl rollout history deploy/web
        kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'
        kubectl rollout undo deploy/web --to-revision=2 --dry-run=server
        kubectl rollout undo deploy/web --to-revision=9
        kubectl rollout pause deploy/web
        kubectl rollout pause deploy/web
        kubectl set image deploy/web web=registry.example/web:3
        kubectl rollout undo deploy/web
        kubectl rollout status deploy/web --watch=false
        kubectl rollout resume deploy/web
        kubectl rollout resume deploy/web
        kubectl rollout status deploy/web --timeout=30s | tail -n 1
        kubectl rollout restart deploy/web
        kubectl rollout status deploy/web --timeout=30s | tail -n 1
        kubectl get rs -l app=web --sort-by=.metadata.creationTimestamp -o custom-columns=D:.spec.replicas,R:.status.readyReplicas
        kubectl rollout status deploy/nope
        kubectl rollout status cm/kube-root-ca.crt
        - kubectl apply -f stateful.yaml -f daemon.yaml
        kubectl rollout status sts/store --timeout=30s | tail -n 1
        kubectl rollout status ds/agent --timeout=30s | tail -n 1
        kubectl rollout history sts/store
        kubectl set image sts/store store=registry.example/store:2
        kubectl rollout status sts/store --timeout=40s | tail -n 1
        kubectl rollout undo sts/store
        kubectl rollout status sts/store --timeout=40s | tail -n 1
        kubectl rollout history sts/store
        kubectl set image ds/agent agent=registry.example/agent:2
        kubectl rollout status ds/agent --timeout=40s | tail -n 1
        kubectl rollout history ds/agent
        kubectl rollout history ds/agent --revision=2
        kubectl get sts,ds
        kubectl get sts,ds -o wide
    """,
    "scale, autoscale, expose and set": """
        - kubectl apply -f web.yaml
        - kubectl rollout status deploy/web --timeout=30s
        kubectl scale deploy web --replicas=3
        kubectl scale deploy web --replicas=1 --current-replicas=9
        kubectl scale deploy -l app=web --replicas=1
        kubectl scale -f web.yaml --replicas=2
        kubectl scale cm/kube-root-ca.crt --replicas=2
        kubectl autoscale deploy web --min=1 --max=3 --cpu=80%
        kubectl get hpa web -o jsonpath='{.spec}'
        kubectl get hpa.v1.autoscaling web -o jsonpath='{.spec}'
        - kubectl delete hpa web
        kubectl expose deploy web --port=80 --target-port=8080 --name=shown
        kubectl expose deploy web --port=80 --type=NodePort --name=outside
        kubectl expose deploy web --port=80 --name=shown
        kubectl expose cm kube-root-ca.crt --port=80
        kubectl get svc shown -o jsonpath='{.spec.selector}{.spec.ports}'
        kubectl set image deploy/web web=registry.example/web:2
        kubectl set image deploy/web nope=registry.example/web:2
        kubectl set image deploy web web=registry.example/web:2 --dry-run=server -o name
        kubectl set env deploy/web SIZE=3 COLOUR-
        kubectl set env deploy/web --list
        kubectl set resources deploy/web --limits=memory=64Mi --requests=cpu=20m
        kubectl set resources deploy/web --requests=memory=96Mi
        kubectl set serviceaccount deploy/web default
        kubectl set selector svc shown app=other
        kubectl set subject rolebinding nope --user=x
        kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].env}{.spec.template.spec.containers[0].resources}'
        kubectl get svc shown -o jsonpath='{.spec.selector}'
    """,
    "wait": """
        - kubectl apply -f web.yaml -f settings.yaml
        kubectl wait --for=condition=available deploy/web --timeout=30s
        kubectl wait --for=condition=available deploy/web
        kubectl wait --for=condition=nope deploy/web --timeout=1s
        kubectl wait --for=jsonpath='{.data.colour}'=red cm/settings --timeout=5s
        kubectl wait --for=jsonpath='{.data.colour}'=blue cm/settings --timeout=1s
        kubectl wait --for=delete cm/nope --timeout=5s
        (sleep 1; kubectl delete cm settings) >/dev/null & kubectl wait --for=delete cm/settings --timeout=10s; wait
        (sleep 1; kubectl create cm later) >/dev/null & kubectl wait --for=create cm/later --timeout=10s; wait
        kubectl wait --for=condition=ready pod -l app=web --timeout=20s | sed 's/web-[^ ]*/web-x/'
        kubectl wait --for=condition=ready pod -l app=nope --timeout=1s
        kubectl wait --for=nope deploy/web
        kubectl wait --for=condition=ready pod/nope --timeout=1s
    """,
    "nodes: cordon, taint, drain": """
        - kubectl get nodes -o name | head -n 1 | cut -d/ -f2 > $HOME/node
        kubectl cordon $(cat $HOME/node)
        kubectl cordon $(cat $HOME/node)
        kubectl get node $(cat $HOME/node)
        kubectl describe node $(cat $HOME/node) | grep -E '^(Taints|Unschedulable|Labels)' -A1
        kubectl uncordon $(cat $HOME/node)
        kubectl uncordon $(cat $HOME/node)
        kubectl taint node $(cat $HOME/node) judged=yes:NoSchedule
        kubectl taint node $(cat $HOME/node) judged=yes:NoSchedule
        kubectl taint node $(cat $HOME/node) judged=no:NoSchedule --overwrite
        kubectl taint node $(cat $HOME/node) judged:NoSchedule-
        kubectl taint node $(cat $HOME/node) judged:NoSchedule-
        kubectl taint node $(cat $HOME/node) judged=x:Nope
        kubectl drain $(cat $HOME/node) --ignore-daemonsets --pod-selector=app=none
        kubectl uncordon $(cat $HOME/node)
        - sed "s/containers:/nodeName: $(cat $HOME/node)\\n  containers:/" pod.yaml | kubectl create -f -
        - kubectl wait --for=condition=ready pod/lone --timeout=20s
        kubectl drain $(cat $HOME/node) --pod-selector=app=lone
        kubectl drain $(cat $HOME/node) --pod-selector=app=lone --force --grace-period=1 --timeout=20s
        kubectl get pods
        kubectl uncordon $(cat $HOME/node)
        - sed 's/replicas: 2/replicas: 6/' web.yaml | kubectl create -f -
        - kubectl rollout status deploy/web --timeout=30s
        - kubectl create pdb careful --selector=app=web --min-available=6
        - for i in $(seq 50); do [ "$(kubectl get pdb careful -o jsonpath='{.status.currentHealthy}')" = 6 ] && exit 0; sleep 0.2; done; exit 1
        kubectl get pdb careful
        kubectl drain $(cat $HOME/node) --pod-selector=app=web --timeout=4s 2>&1 | grep -v pending | sort -u | head -n 3
        - kubectl delete pdb careful
        % kubectl drain $(cat $HOME/node) --pod-selector=app=web --timeout=30s | sed 's/web-[^ ]*/web-x/' | sort -u
        kubectl uncordon $(cat $HOME/node)
        kubectl drain nope
        kubectl cordon nope
        kubectl get node $(cat $HOME/node) -o jsonpath='{.spec}'
        kubectl top node
    """,
    "events": """
        - kubectl create -f event.yaml
        kubectl get events
        kubectl get events -o wide
        kubectl events
        kubectl events --for=cm/settings
        kubectl events --types=Warning
        kubectl get events --field-selector type=Warning
        kubectl get events --field-selector involvedObject.name=settings -o name
        kubectl get events.events.k8s.io
        - kubectl apply -f settings.yaml
        kubectl describe cm settings
        - kubectl apply -f web.yaml
        - kubectl rollout status deploy/web --timeout=30s
        kubectl events --for=deploy/web
        kubectl describe deploy web | sed -n '/^Events/,$p'
        kubectl describe rs -l app=web | sed -n '/^Events/,$p' | sort -u
        - kubectl scale deploy web --replicas=1
        - kubectl rollout status deploy/web --timeout=30s
        kubectl describe deploy web | sed -n '/^Events/,$p'
        % kubectl get events --sort-by=.metadata.name -o custom-columns=R:.reason,T:.type,K:.involvedObject.kind,S:.source.component,C:.reportingComponent
    """,
}

CASES: Mapping[str, str] = {**READING, **WRITING, **WORKING}
