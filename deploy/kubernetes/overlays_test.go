package kubernetes

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"circles/deploy/internal/compose"
)

// system is what one overlay runs, by name.
type system struct {
	workloads  map[string]workload
	services   map[string]*corev1.Service
	configMaps map[string]*corev1.ConfigMap
	ingresses  []*networkingv1.Ingress
	selectors  map[string]*metav1.LabelSelector // of budgets and policies, by "kind/name"
}

// workload is what a Deployment and a StatefulSet have in common.
type workload struct {
	replicas int32
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
}

func gather(t *testing.T, objects []runtime.Object) system {
	t.Helper()
	s := system{
		workloads:  map[string]workload{},
		services:   map[string]*corev1.Service{},
		configMaps: map[string]*corev1.ConfigMap{},
		selectors:  map[string]*metav1.LabelSelector{},
	}
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.Deployment:
			s.workloads[o.Name] = workload{*o.Spec.Replicas, o.Spec.Selector, o.Spec.Template}
		case *appsv1.StatefulSet:
			s.workloads[o.Name] = workload{*o.Spec.Replicas, o.Spec.Selector, o.Spec.Template}
			if !slices.ContainsFunc(objects, func(object runtime.Object) bool {
				service, ok := object.(*corev1.Service)
				return ok && service.Name == o.Spec.ServiceName && service.Spec.ClusterIP == corev1.ClusterIPNone
			}) {
				t.Errorf("%s: got no headless Service %q", o.Name, o.Spec.ServiceName)
			}
		case *corev1.Service:
			s.services[o.Name] = o
		case *corev1.ConfigMap:
			s.configMaps[o.Name] = o
		case *networkingv1.Ingress:
			s.ingresses = append(s.ingresses, o)
		case *policyv1.PodDisruptionBudget:
			s.selectors["PodDisruptionBudget/"+o.Name] = o.Spec.Selector
		case *networkingv1.NetworkPolicy:
			s.selectors["NetworkPolicy/"+o.Name] = &o.Spec.PodSelector
		case *corev1.Namespace:
		default:
			t.Errorf("got a %T, which this test does not know how to check", object)
		}
	}
	return s
}

func TestOverlays(t *testing.T) {
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			s := gather(t, build(t, folder))
			for _, name := range []string{"gateway", "worker", "redis"} {
				w, ok := s.workloads[name]
				if !ok {
					t.Fatalf("got no workload %q", name)
				}
				t.Run(name, func(t *testing.T) {
					checkSelects(t, w.selector, w.pod)
					checkRestricted(t, w.pod.Spec)
					checkContainers(t, w.pod.Spec)
				})
			}
			checkPorts(t, s)
			for name, selector := range s.selectors {
				if !slices.ContainsFunc(slices.Collect(maps.Values(s.workloads)), func(w workload) bool {
					return matches(t, selector, w.pod.Labels)
				}) {
					t.Errorf("%s selects no pod", name)
				}
			}
			keys := strings.Split(environment(t, s, "worker")["CIRCLE_KEYS"], ",")
			if got := int(s.workloads["worker"].replicas); got != len(keys) {
				t.Errorf("got %d worker replicas, want one for each of the %d circles", got, len(keys))
			}
		})
	}
}

// checkRestricted holds a pod to the restricted Pod Security Standard and to what this project asks beyond it.
func checkRestricted(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	is := func(b *bool, want bool) bool { return b != nil && *b == want }
	sc := pod.SecurityContext
	switch {
	case sc == nil:
		t.Fatal("got no pod security context")
	case !is(sc.RunAsNonRoot, true), sc.RunAsUser == nil, *sc.RunAsUser == 0:
		t.Error("the pod may run as root")
	case sc.SeccompProfile == nil, sc.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault:
		t.Error("the pod has no RuntimeDefault seccomp profile")
	}
	if !is(pod.AutomountServiceAccountToken, false) {
		t.Error("the pod gets a service account's token that nothing needs")
	}
	if !is(pod.EnableServiceLinks, false) {
		t.Error("service links would set GATEWAY_PORT to an address")
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		t.Error("the pod shares a namespace of the host")
	}
	for _, c := range pod.Containers {
		sc := c.SecurityContext
		switch {
		case sc == nil:
			t.Errorf("%s: got no security context", c.Name)
		case !is(sc.AllowPrivilegeEscalation, false):
			t.Errorf("%s: may gain privileges", c.Name)
		case !is(sc.ReadOnlyRootFilesystem, true):
			t.Errorf("%s: may write its root file system", c.Name)
		case sc.Capabilities == nil, !slices.Equal(sc.Capabilities.Drop, []corev1.Capability{"ALL"}), len(sc.Capabilities.Add) != 0:
			t.Errorf("%s: keeps capabilities", c.Name)
		}
	}
}

// checkContainers wants probes that name ports there are, and bounds on what a container takes.
func checkContainers(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	for _, c := range pod.Containers {
		for name, probe := range map[string]*corev1.Probe{
			"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe,
		} {
			if probe == nil {
				t.Errorf("%s: got no %s probe", c.Name, name)
				continue
			}
			if probe.HTTPGet == nil {
				continue
			}
			if !hasPort(pod, probe.HTTPGet.Port) {
				t.Errorf("%s: the %s probe names port %s, which the container has not", c.Name, name, probe.HTTPGet.Port.String())
			}
			want := "/healthz"
			if name == "readiness" {
				want = "/readyz"
			}
			if probe.HTTPGet.Path != want {
				t.Errorf("%s: the %s probe asks %s, want %s", c.Name, name, probe.HTTPGet.Path, want)
			}
		}
		requests, limits := c.Resources.Requests, c.Resources.Limits
		if requests.Cpu().IsZero() || requests.Memory().IsZero() || limits.Memory().IsZero() {
			t.Errorf("%s: got resources %v, want requests of CPU and memory and a limit of memory", c.Name, c.Resources)
		}
		if limits.Memory().Cmp(*requests.Memory()) < 0 {
			t.Errorf("%s: asks for more memory than its limit", c.Name)
		}
	}
}

// checkPorts follows each port from the outside in: Ingress, Service, container, and the setting that opens it.
func checkPorts(t *testing.T, s system) {
	t.Helper()
	for _, ingress := range s.ingresses {
		for _, rule := range ingress.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				to := path.Backend.Service
				service, ok := s.services[to.Name]
				if !ok || !slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool {
					return p.Name == to.Port.Name || p.Port == to.Port.Number
				}) {
					t.Errorf("ingress %s: got no service %s with port %v", ingress.Name, to.Name, to.Port)
				}
			}
		}
	}
	for name, service := range s.services {
		found := false
		for _, w := range s.workloads {
			if !matches(t, metav1.SetAsLabelSelector(service.Spec.Selector), w.pod.Labels) {
				continue
			}
			found = true
			for _, port := range service.Spec.Ports {
				if !hasPort(w.pod.Spec, port.TargetPort) {
					t.Errorf("service %s: its pods have no port %s", name, port.TargetPort.String())
				}
			}
		}
		if !found {
			t.Errorf("service %s selects no pod", name)
		}
	}
	if got, want := environment(t, s, "gateway")["GATEWAY_PORT"], s.workloads["gateway"].pod.Spec.Containers[0].Ports[0].ContainerPort; got != strconv.Itoa(int(want)) {
		t.Errorf("got GATEWAY_PORT %s, want the container's port %d", got, want)
	}
	_, got, _ := strings.Cut(environment(t, s, "worker")["WORKER_HTTP_ADDR"], ":")
	if want := s.workloads["worker"].pod.Spec.Containers[0].Ports[0].ContainerPort; got != strconv.Itoa(int(want)) {
		t.Errorf("got WORKER_HTTP_ADDR's port %s, want the container's port %d", got, want)
	}
}

// TestAgreesWithCompose holds the base to the same images, Redis arguments and settings as docker-compose.yml.
func TestAgreesWithCompose(t *testing.T) {
	file, err := compose.Read("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	s := gather(t, build(t, "base"))
	for name, service := range file.Services {
		w, ok := s.workloads[name]
		if !ok {
			t.Errorf("compose runs %q, Kubernetes does not", name)
			continue
		}
		container := w.pod.Spec.Containers[0]
		if container.Image != service.Image {
			t.Errorf("%s: got image %s, compose has %s", name, container.Image, service.Image)
		}
		if !slices.Equal(container.Args, service.Command) {
			t.Errorf("%s: got arguments %q, compose has %q", name, container.Args, service.Command)
		}
		got := slices.Sorted(maps.Keys(environment(t, s, name)))
		var want []string
		for variable, value := range service.Environment {
			if value != nil {
				want = append(want, variable)
			}
		}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("%s: got environment %v, compose sets %v", name, got, want)
		}
		if service.Scale > 0 && int(w.replicas) != service.Scale {
			t.Errorf("%s: got %d replicas, compose runs %d", name, w.replicas, service.Scale)
		}
	}
	if got, want := len(s.workloads), len(file.Services); got != want {
		t.Errorf("got %d workloads, compose has %d services", got, want)
	}
}

// environment is what the first container of a workload gets, ConfigMaps included.
func environment(t *testing.T, s system, name string) map[string]string {
	t.Helper()
	env := map[string]string{}
	container := s.workloads[name].pod.Spec.Containers[0]
	for _, from := range container.EnvFrom {
		configMap, ok := s.configMaps[from.ConfigMapRef.Name]
		if !ok {
			t.Fatalf("%s: got no ConfigMap %s", name, from.ConfigMapRef.Name)
		}
		for key, value := range configMap.Data {
			if _, twice := env[key]; twice {
				t.Errorf("%s: %s is set twice", name, key)
			}
			env[key] = value
		}
	}
	for _, v := range container.Env {
		env[v.Name] = v.Value
	}
	return env
}

func checkSelects(t *testing.T, selector *metav1.LabelSelector, pod corev1.PodTemplateSpec) {
	t.Helper()
	if !matches(t, selector, pod.Labels) {
		t.Errorf("the selector %v does not match the pod's labels %v", selector, pod.Labels)
	}
}

func matches(t *testing.T, selector *metav1.LabelSelector, have map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(have))
}

func hasPort(pod corev1.PodSpec, port intstr.IntOrString) bool {
	return slices.ContainsFunc(pod.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return p.Name == port.StrVal || p.ContainerPort == port.IntVal
		})
	})
}
