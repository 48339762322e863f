import { createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { ConceptService } from '../gen/dti/v1/concept_service_pb';
import { DtiService } from '../gen/dti/v1/dti_service_pb';
import { JobService } from '../gen/dti/v1/job_service_pb';
import { ModelService } from '../gen/dti/v1/model_service_pb';
import { ServerService } from '../gen/dti/v1/server_service_pb';
import { token } from './token';

const authorize: Interceptor = next => request => {
  if (token.value) request.header.set('authorization', `Bearer ${token.value}`);
  return next(request);
};

const transport = createGrpcWebTransport({ baseUrl: location.origin, interceptors: [authorize] });

export const dti = createClient(DtiService, transport);
export const concepts = createClient(ConceptService, transport);
export const jobs = createClient(JobService, transport);
export const models = createClient(ModelService, transport);
export const server = createClient(ServerService, transport);
