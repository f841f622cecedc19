package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// server runs until SIGTERM, which kube-apiserver waits for itself.
func server(dir string) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	store, err := startEtcd(filepath.Join(dir, "etcd"), ports[0], ports[1])
	if err != nil {
		return err
	}
	defer store.Close()
	key := serviceAccountKey(dir)
	if err := writeKey(key); err != nil {
		return err
	}
	token := make([]byte, 16)
	if _, err := rand.Read(token); err != nil {
		return err
	}
	tokens := filepath.Join(dir, "tokens.csv")
	line := fmt.Sprintf("%s,admin,admin,system:masters\n", hex.EncodeToString(token))
	if err := os.WriteFile(tokens, []byte(line), 0o600); err != nil {
		return err
	}
	go announce(dir, ports[2], hex.EncodeToString(token))

	command := apiserver.NewAPIServerCommand()
	command.SetArgs([]string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", ports[0]),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", ports[2]),
		"--cert-dir=" + filepath.Join(dir, "certificates"),
		"--token-auth-file=" + tokens,
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key,
		"--endpoint-reconciler-type=none", // its address is loopback, which is no endpoint
		"--kubelet-preferred-address-types=InternalIP",
	})
	return command.Execute()
}

func controllers(dir string) error {
	command := manager.NewControllerManagerCommand()
	command.SetArgs([]string{
		"--kubeconfig=" + kubeconfig(dir),
		"--service-account-private-key-file=" + serviceAccountKey(dir),
		"--leader-elect=false",
		"--secure-port=0",
		// Without those that look after nodes: that of `nodes` is no object, and its pods would be taken for orphans.
		"--controllers=*,-node-ipam-controller,-node-lifecycle-controller,-pod-garbage-collector-controller",
	})
	return command.Execute()
}

func scheduling(dir string) error {
	command := scheduler.NewSchedulerCommand()
	file := kubeconfig(dir)
	command.SetArgs([]string{"--kubeconfig=" + file, "--authentication-kubeconfig=" + file,
		"--authorization-kubeconfig=" + file, "--leader-elect=false", "--secure-port=0"})
	return command.Execute()
}

// node is a kubelet, configured by DIR/kubelet.yaml.
func node(dir string) error {
	command := kubelet.NewKubeletCommand()
	command.SetArgs([]string{"--config=" + filepath.Join(dir, "kubelet.yaml"), "--kubeconfig=" + kubeconfig(dir),
		"--root-dir=" + filepath.Join(dir, "kubelet"), "--cert-dir=" + filepath.Join(dir, "kubelet-certificates"),
		"--hostname-override=node", "--node-ip=" + os.Getenv("SKALD_TEST_NODE_IP")})
	return command.Execute()
}

func startEtcd(dir string, clients, peers int) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir = dir
	config.LogLevel = "error"
	config.UnsafeNoFsync = true // nobody needs this data after the test
	address := func(port int) []url.URL {
		return []url.URL{{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}}
	}
	config.ListenClientUrls, config.AdvertiseClientUrls = address(clients), address(clients)
	config.ListenPeerUrls, config.AdvertisePeerUrls = address(peers), address(peers)
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	store, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-store.Server.ReadyNotify():
		return store, nil
	case <-time.After(time.Minute):
		store.Close()
		return nil, errors.New("etcd was not ready within a minute")
	}
}

// announce writes the kubeconfig once the server answers, so that whoever sees the file can begin.
func announce(dir string, port int, token string) {
	config := api.NewConfig()
	config.Clusters["test"] = &api.Cluster{
		Server:               fmt.Sprintf("https://127.0.0.1:%d", port),
		CertificateAuthority: filepath.Join(dir, "certificates", "apiserver.crt"),
	}
	config.AuthInfos["admin"] = &api.AuthInfo{Token: token}
	config.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: "admin"}
	config.CurrentContext = "test"
	unready := kubeconfig(dir) + ".unready"
	for {
		time.Sleep(200 * time.Millisecond)
		if clientcmd.WriteToFile(*config, unready) != nil || os.Rename(unready, unready+".tried") != nil {
			continue
		}
		if answers(unready + ".tried") {
			_ = os.Rename(unready+".tried", kubeconfig(dir))
			return
		}
	}
}

func answers(file string) bool {
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		return false
	}
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return clientset.RESTClient().Get().AbsPath("/readyz").Do(ctx).Error() == nil
}

func serviceAccountKey(dir string) string { return filepath.Join(dir, "service-account.key") }

func writeKey(file string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return os.WriteFile(file, pem.EncodeToMemory(&block), 0o600)
}

func freePorts(count int) ([]int, error) {
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // all at the end, so that they differ
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
