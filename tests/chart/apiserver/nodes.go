package main

import (
	"context"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// endings is the annotation of a pod by which a test says how a container ends, like "preflight=1". Every other
// container of a pod that is not restarted ends with 0.
const endings = "skald.test/endings"

// nodes plays scheduler and kubelet until SIGTERM: every pod gets a node; one that runs to its end has ended, any
// other is ready; one that is deleted goes at once.
func nodes(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	kubernetes, err := client(dir)
	if err != nil {
		return err
	}
	for {
		pods, err := kubernetes.CoreV1().Pods("").List(ctx, meta.ListOptions{})
		if err == nil {
			for index := range pods.Items {
				if err := attend(ctx, kubernetes, &pods.Items[index]); err != nil && ctx.Err() == nil {
					fmt.Println(pods.Items[index].Name, err) // it is seen again in the next round
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func attend(ctx context.Context, kubernetes *kubernetes.Clientset, pod *core.Pod) error {
	pods := kubernetes.CoreV1().Pods(pod.Namespace)
	var err error
	switch {
	case pod.DeletionTimestamp != nil:
		var now int64
		err = pods.Delete(ctx, pod.Name, meta.DeleteOptions{GracePeriodSeconds: &now})
	case pod.Spec.NodeName == "":
		err = pods.Bind(ctx, &core.Binding{
			ObjectMeta: meta.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace},
			Target:     core.ObjectReference{Kind: "Node", Name: "node"},
		}, meta.CreateOptions{})
	case pod.Status.Phase == core.PodPending:
		tell(pod)
		_, err = pods.UpdateStatus(ctx, pod, meta.UpdateOptions{})
	}
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		return nil
	}
	return err
}

// tell fills in the status of a pod that has been given a node.
func tell(pod *core.Pod) {
	now := meta.Now()
	pod.Status.StartTime = &now
	ends := pod.Spec.RestartPolicy == core.RestartPolicyNever
	pod.Status.Phase = core.PodRunning
	if ends {
		pod.Status.Phase = core.PodSucceeded
	}
	pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses = nil, nil
	for _, container := range pod.Spec.InitContainers {
		status := ended(pod, container)
		pod.Status.InitContainerStatuses = append(pod.Status.InitContainerStatuses, status)
	}
	for _, container := range pod.Spec.Containers {
		status := running(container)
		if ends {
			status = ended(pod, container)
		}
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, status)
	}
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if status.State.Terminated != nil && status.State.Terminated.ExitCode != 0 {
			pod.Status.Phase = core.PodFailed
		}
	}
	for _, kind := range []core.PodConditionType{core.PodInitialized, core.ContainersReady, core.PodReady} {
		condition := core.PodCondition{Type: kind, Status: core.ConditionTrue, LastTransitionTime: now}
		if ends && kind != core.PodInitialized {
			condition.Status = core.ConditionFalse
		}
		pod.Status.Conditions = append(pod.Status.Conditions, condition)
	}
}

func running(container core.Container) core.ContainerStatus {
	started := true
	return core.ContainerStatus{
		Name: container.Name, Image: container.Image, Ready: true, Started: &started,
		State: core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: meta.Now()}},
	}
}

func ended(pod *core.Pod, container core.Container) core.ContainerStatus {
	var code int32
	for _, one := range strings.Split(pod.Annotations[endings], ",") {
		if name, value, found := strings.Cut(one, "="); found && name == container.Name {
			_, _ = fmt.Sscan(value, &code)
		}
	}
	terminated := core.ContainerStateTerminated{ExitCode: code, StartedAt: meta.Now(), FinishedAt: meta.Now()}
	return core.ContainerStatus{
		Name: container.Name, Image: container.Image, State: core.ContainerState{Terminated: &terminated},
	}
}
