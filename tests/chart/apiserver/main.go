// A Kubernetes for the tests of the chart: the real etcd, kube-apiserver and kube-controller-manager, built from their
// modules, on loopback. For nodes there are either `nodes`, which plays their part and starts nothing, or the real
// scheduler and a kubelet. Each subcommand runs until SIGTERM; tests/chart/run starts and ends them.
//
//	server DIR        etcd and kube-apiserver with their data below DIR; writes DIR/kubeconfig when it is ready
//	controllers DIR   kube-controller-manager: Deployments, StatefulSets, Jobs, budgets, garbage
//	nodes DIR         gives pods a node and says of them what a kubelet would say
//	scheduler DIR     kube-scheduler
//	kubelet DIR       kubelet, configured by DIR/kubelet.yaml, with the address in SKALD_TEST_NODE_IP
//	kubectl …         kubectl itself, of the same version
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "kubectl" {
		os.Args = os.Args[1:]
		if err := cmd.NewDefaultKubectlCommand().Execute(); err != nil {
			fail(err)
		}
		return
	}
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: %s server|controllers|nodes|scheduler|kubelet DIR, or kubectl …", filepath.Base(os.Args[0])))
	}
	dir, err := filepath.Abs(os.Args[2])
	if err != nil {
		fail(err)
	}
	commands := map[string]func(string) error{"server": server, "controllers": controllers, "nodes": nodes,
		"scheduler": scheduling, "kubelet": node}
	command, known := commands[os.Args[1]]
	if !known {
		fail(fmt.Errorf("there is no %q", os.Args[1]))
	}
	if err := command(dir); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func kubeconfig(dir string) string { return filepath.Join(dir, "kubeconfig") }

func client(dir string) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig(dir))
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 100, 200
	return kubernetes.NewForConfig(config)
}
