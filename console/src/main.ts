// SPDX-License-Identifier: Apache-2.0
import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { t } from './text';

document.documentElement.lang = t.lang;
mount(App, { target: document.getElementById('app')! });
