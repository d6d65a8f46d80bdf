package pods

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	"kubia.test/sandbox/node/container"
	"kubia.test/sandbox/node/podnet"
	"kubia.test/sandbox/node/podnet/podnettest"
	"kubia.test/sandbox/node/xds"
)

func TestMain(m *testing.M) { podnettest.Main(m) }

var bridge = netip.MustParsePrefix("10.244.0.1/16")

// startNode runs a manager on a fake API server; the function stops it as a
// killed agent stops.
func startNode(t *testing.T, client kubernetes.Interface) context.CancelFunc {
	t.Helper()
	network, err := podnet.Open(bridge)
	if err != nil {
		t.Fatal(err)
	}
	manager := &Manager{
		Client:        client,
		Network:       network,
		Relays:        xds.NewRelays(bridge.Addr(), "127.0.0.1:1"),
		NodeAddresses: map[string]string{"node-1": "127.2.0.2"},
		Directory:     t.TempDir(),
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Pods().Informer()
	factory.Start(ctx.Done())
	cache.WaitForCacheSync(ctx.Done(), informer.HasSynced)
	go manager.Run(ctx, informer)
	return cancel
}

func appPod(name string) *corev1.Pod {
	pod := testPod(corev1.RestartPolicyAlways)
	pod.Namespace, pod.Name, pod.UID = "default", name, "uid-of-"+pod.UID
	pod.Spec.NodeName = "node-1"
	pod.Spec.Containers[0].Image = "node:22"
	pod.Spec.Containers[0].Args = []string{"-e", `r.end("You've hit v1 " + os.hostname())`}
	return pod
}

// waitFor polls, because the fake API server's watches start only after a list.
func waitFor(t *testing.T, client kubernetes.Interface, what string, is func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	err := wait.PollUntilContextTimeout(context.Background(), 10*time.Millisecond, 10*time.Second, true, func(ctx context.Context) (bool, error) {
		var err error
		pod, err = client.CoreV1().Pods("default").Get(ctx, "app", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			pod = nil
		}
		return is(pod), nil
	})
	if err != nil {
		t.Fatalf("the pod is not %s: %+v", what, pod)
	}
	return pod
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func update(t *testing.T, client kubernetes.Interface, pod *corev1.Pod) {
	t.Helper()
	if _, err := client.CoreV1().Pods(pod.Namespace).Update(context.Background(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestPodRunsAndObeysItsAnnotationsUntilItIsDeleted(t *testing.T) {
	client := fake.NewClientset(appPod("app"))
	startNode(t, client)
	pod := waitFor(t, client, "ready", ready)

	response, err := http.Get("http://" + pod.Status.PodIP + ":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, _ := io.ReadAll(response.Body); string(answer) != "You've hit v1 app\n" {
		t.Errorf("the app answers %q", answer)
	}

	pod.Annotations = map[string]string{container.ReadyAfterAnnotation: container.NeverReady}
	update(t, client, pod)
	pod = waitFor(t, client, "unready", func(pod *corev1.Pod) bool { return !ready(pod) })

	now := metav1.Now()
	pod.DeletionTimestamp = &now
	update(t, client, pod)
	waitFor(t, client, "gone", func(pod *corev1.Pod) bool { return pod == nil })
	impatient := &http.Client{Timeout: time.Second, Transport: &http.Transport{}}
	if _, err := impatient.Get("http://" + pod.Status.PodIP + ":8080"); err == nil {
		t.Error("the app of a deleted pod answers")
	}
}

func TestAnAgentThatComesBackRestartsContainersUnderTheirAddresses(t *testing.T) {
	client := fake.NewClientset(appPod("app"))
	stop := startNode(t, client)
	before := waitFor(t, client, "ready", ready)
	stop()

	startNode(t, client)
	after := waitFor(t, client, "restarted", func(pod *corev1.Pod) bool {
		return len(pod.Status.ContainerStatuses) == 1 && pod.Status.ContainerStatuses[0].RestartCount == 1 && ready(pod)
	})
	if after.Status.PodIP != before.Status.PodIP {
		t.Errorf("the address changed from %s to %s", before.Status.PodIP, after.Status.PodIP)
	}
}
