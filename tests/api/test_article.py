"""The tutorial that must work: the manifests of the Japanese article on Litmus 1.10, as its readers type them."""

import msgspec
import yaml

from litmus import api
from litmus.api import strict

ENGINE = """
apiVersion: litmuschaos.io/v1alpha1
kind: ChaosEngine
metadata:
  name: nginx-chaos
  namespace: nginx
spec:
  appinfo:
    appns: 'nginx'
    applabel: 'app=nginx'
    appkind: 'deployment'
  # It can be true/false
  annotationCheck: 'true'
  # It can be active/stop
  engineState: 'active'
  #ex. values: ns1:name=percona,ns2:run=nginx
  auxiliaryAppInfo: ''
  chaosServiceAccount: pod-delete-sa
  monitoring: false
  # It can be delete/retain
  jobCleanUpPolicy: 'delete'
  experiments:
    - name: pod-delete
      spec:
        components:
          env:
            # set chaos duration (in sec) as desired
            - name: TOTAL_CHAOS_DURATION
              value: '30'
            # set chaos interval (in sec) as desired
            - name: CHAOS_INTERVAL
              value: '10'
            # pod failures without '--force' & default terminationGracePeriodSeconds
            - name: FORCE
              value: 'false'
"""

# The ChaosExperiment that the article installs from the hub of 1.10, in its spelling.
EXPERIMENT = """
apiVersion: litmuschaos.io/v1alpha1
description:
  message: |
    Deletes a pod belonging to a deployment/statefulset/daemonset
kind: ChaosExperiment
metadata:
  name: pod-delete
  version: 0.1.19
spec:
  definition:
    scope: Namespaced
    permissions:
      - apiGroups: ["", "apps", "batch", "litmuschaos.io"]
        resources: ["deployments", "jobs", "pods", "pods/log", "events", "chaosengines"]
        verbs: ["create", "list", "get", "patch", "update", "delete"]
    image: "litmuschaos/go-runner:1.10.0"
    imagePullPolicy: Always
    args:
    - -c
    - ./experiments/pod-delete
    command:
    - /bin/bash
    env:
    - name: TOTAL_CHAOS_DURATION
      value: '15'
    - name: RAMP_TIME
      value: ''
    - name: FORCE
      value: 'true'
    - name: LIB
      value: 'litmus'
    labels:
      name: pod-delete
"""


def test_the_articles_engine_is_accepted_without_a_word():
    assert strict.mistakes(api.ChaosEngine, yaml.safe_load(ENGINE)) == []


def test_the_articles_engine_means_what_it_says():
    engine = msgspec.convert(yaml.safe_load(ENGINE), api.ChaosEngine)
    assert engine.active
    assert engine.spec.appinfo == api.engine.AppInfo(appns="nginx", applabel="app=nginx", appkind="deployment")
    assert engine.spec.annotation_check == "true"
    assert engine.spec.chaos_service_account == "pod-delete-sa"
    assert engine.spec.job_clean_up_policy == "delete"
    [experiment] = engine.spec.experiments
    assert {variable.name: variable.value for variable in experiment.spec.components.env} == {
        "TOTAL_CHAOS_DURATION": "30",
        "CHAOS_INTERVAL": "10",
        "FORCE": "false",
    }


def test_an_experiment_of_the_hub_of_1_10_is_accepted_without_a_word():
    assert strict.mistakes(api.ChaosExperiment, yaml.safe_load(EXPERIMENT)) == []
    definition = msgspec.convert(yaml.safe_load(EXPERIMENT), api.ChaosExperiment).spec.definition
    assert definition.args == ["-c", "./experiments/pod-delete"]
    assert definition.labels == {"name": "pod-delete"}


def test_the_result_is_shown_as_in_the_article():
    """`kubectl describe chaosresult`: Fail Step N/A, Phase Completed, Verdict Pass."""
    status = api.plain(api.result.ExperimentOutcome(phase="Completed", verdict="Pass", probe_success_percentage="100"))
    assert status == {
        "phase": "Completed",
        "verdict": "Pass",
        "failStep": "N/A",
        "probeSuccessPercentage": "100",
    }
